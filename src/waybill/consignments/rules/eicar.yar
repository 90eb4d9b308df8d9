rule eicar
{
    meta:
        description = "The EICAR test file, which is harmless and stands for malware in tests"
        reference = "https://www.eicar.org/download-anti-malware-testfile/"
    strings:
        // Bytes, since a scanner must not take this file for the test file
        $content = {
            58 35 4F 21 50 25 40 41 50 5B 34 5C 50 5A 58 35 34 28 50 5E 29 37 43 43 29 37 7D 24
            45 49 43 41 52 2D 53 54 41 4E 44 41 52 44 2D 41 4E 54 49 56 49 52 55 53 2D
            54 45 53 54 2D 46 49 4C 45 21 24 48 2B 48 2A
        }
    condition:
        // By its definition it may be followed by white space, up to 128 bytes in all. What holds it may fill up with
        // zeros what is shorter than its smallest stream, sector or block.
        $content at 0 and (filesize <= 128 or filesize <= 64KB and for all place in (68..filesize - 1): (uint8(place) == 0))
}
