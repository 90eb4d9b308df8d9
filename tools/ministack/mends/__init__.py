"""What MiniStack does otherwise than AWS, and Waybill relies on; each module names the page that it follows."""
