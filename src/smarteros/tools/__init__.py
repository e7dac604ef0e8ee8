"""Tools the flow and outside agents call: shop and ERP look-ups."""
