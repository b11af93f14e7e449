"""Two simulated surveys whose classes differ in one property alone."""
