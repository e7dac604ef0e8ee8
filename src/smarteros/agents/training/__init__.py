"""Training per tenant: examples of its own, versions, and a model of its own made of them."""
