rule php_runs_what_a_request_says
{
    meta:
        description = "PHP that evaluates what a request sends: a web shell"
    strings:
        $php = "<?php" nocase
        $run = /\b(eval|assert|system|passthru|shell_exec|popen|proc_open)\s{0,8}\(\s{0,8}((base64_decode|gzinflate|str_rot13|stripslashes)\s{0,8}\(\s{0,8}){0,3}@?\$_(GET|POST|REQUEST|COOKIE)\b/ nocase
    condition:
        $php and $run and filesize < 2MB
}

rule powershell_runs_a_download
{
    meta:
        description = "PowerShell that fetches a program and runs it without keeping it"
    strings:
        $fetch = /\.(DownloadString|DownloadData|DownloadFile)\s{0,8}\(/ nocase
        $run_first = /\b(IEX|Invoke-Expression)\b[^\r\n]{0,200}New-Object\s{1,8}(System\.)?Net\.WebClient/ nocase
        $run_last = /New-Object\s{1,8}(System\.)?Net\.WebClient[^\r\n]{0,400}\|\s{0,8}(IEX|Invoke-Expression)\b/ nocase
    condition:
        $fetch and ($run_first or $run_last) and filesize < 2MB
}

rule shell_opens_a_connection_back
{
    meta:
        description = "A shell whose input and output are a network connection"
    strings:
        $bash = /\b(ba|z|k)?sh\s{1,4}-i\s{0,4}(>&|&>)\s{0,4}\/dev\/tcp\/[^\s\/]{1,255}\/[0-9]{1,5}/
        $python = /socket\.socket\([^)]{0,200}\)[^\n]{0,400}os\.dup2\([^)]{1,80}\)[^\n]{0,400}(\/bin\/(ba)?sh|pty\.spawn)/
    condition:
        any of them and filesize < 2MB
}
