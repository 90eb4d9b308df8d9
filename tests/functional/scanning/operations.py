"""The names of the operations, by API: they are names in other people's code."""

OPERATIONS = {
    "waybill.scanning.api": [
        "cancelJob",
        "changeSchedule",
        "createSchedule",
        "deleteDetector",
        "deleteSchedule",
        "exportFindings",
        "listDetectors",
        "listFindings",
        "listJobs",
        "listScans",
        "listSchedules",
        "listValues",
        "putDetector",
        "resumeJob",
        "showCoverage",
        "showDetector",
        "showJob",
        "showObjects",
        "startScan",
        "testDetector",
        "triageValue",
    ],
}
