"""Small tools that know nothing of SmarterOS: clock, HTTP, pesos, RUT, words for dates, text folding."""
