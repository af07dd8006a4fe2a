"""Films made here, whose scenes are known to the second: for the sample, and to measure how well moments are found."""
