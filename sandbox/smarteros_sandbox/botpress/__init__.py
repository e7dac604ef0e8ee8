"""The stand-in Botpress: the Chat API of the cloud, which the official client accepts, and v12's converse API."""

from smarteros_sandbox.botpress.app import create_botpress_app
from smarteros_sandbox.botpress.bots import SandboxBot, shop_bot

__all__ = ["SandboxBot", "create_botpress_app", "shop_bot"]
