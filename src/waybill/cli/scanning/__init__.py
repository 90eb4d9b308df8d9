"""`waybill scan`, `waybill scans`, `waybill findings` and `waybill scan-file`."""
