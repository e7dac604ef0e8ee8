"""A stand-in Google Cloud Vision: reads the demo's own invoices, and nothing else."""

from smarteros_sandbox.vision.app import create_vision_app

__all__ = ["create_vision_app"]
