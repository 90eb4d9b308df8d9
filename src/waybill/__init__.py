"""Waybill keeps account of files on AWS."""

__version__ = "0.1.0"
