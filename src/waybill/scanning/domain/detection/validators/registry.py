"""The validators, by the names that detectors give them."""

from collections.abc import Mapping

from waybill.scanning.domain.detection.models import Validator
from waybill.scanning.domain.detection.validators.addresses import email, ip
from waybill.scanning.domain.detection.validators.business_checks import CHECKS as BUSINESS_CHECKS
from waybill.scanning.domain.detection.validators.national_checks import CHECKS
from waybill.scanning.domain.detection.validators.national_numbers import national_number, uk_nhs, uk_nino, us_ssn
from waybill.scanning.domain.detection.validators.passwords import (
    basic_credentials,
    credentials_url,
    kubernetes_secret,
    password_assignment,
    password_file,
    password_in_column,
)
from waybill.scanning.domain.detection.validators.payments import credit_card, iban
from waybill.scanning.domain.detection.validators.private_keys import (
    age_secret_key,
    private_key,
    putty_key,
    service_account_key,
)
from waybill.scanning.domain.detection.validators.telephone import phone
from waybill.scanning.domain.detection.validators.tokens import (
    anything,
    aws_access_key_id,
    aws_secret,
    azure_sas,
    azure_storage_key,
    crc_token,
    discord_token,
    elastic_key,
    github_token,
    jwt,
    keyed_token,
    random_token,
)

_NUMBERS = {name: national_number(check) for checks in (CHECKS, BUSINESS_CHECKS) for name, check in checks.items()}

VALIDATORS: Mapping[str, Validator] = _NUMBERS | {
    check.__name__: check
    for check in (
        age_secret_key,
        anything,
        aws_access_key_id,
        aws_secret,
        azure_sas,
        azure_storage_key,
        basic_credentials,
        crc_token,
        credentials_url,
        credit_card,
        discord_token,
        elastic_key,
        email,
        github_token,
        iban,
        ip,
        jwt,
        keyed_token,
        kubernetes_secret,
        password_assignment,
        password_file,
        password_in_column,
        phone,
        private_key,
        putty_key,
        random_token,
        service_account_key,
        uk_nhs,
        uk_nino,
        us_ssn,
    )
}
