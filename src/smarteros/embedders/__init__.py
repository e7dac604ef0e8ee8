"""Embedders: sentence encoders that turn texts into vectors whose inner products tell how alike they mean."""
