"""`waybill consign` and `waybill consignments`."""
