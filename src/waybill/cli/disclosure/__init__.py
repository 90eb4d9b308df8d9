"""`waybill sar`."""
