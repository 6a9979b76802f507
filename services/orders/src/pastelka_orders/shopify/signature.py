"""Whether a webhook comes from the shop.

https://shopify.dev/docs/apps/build/webhooks/subscribe/https#step-2-validate-the-origin-of-your-webhook
"""

import base64
import hashlib
import hmac


def is_signed(body: bytes, signature: str, secret: str) -> bool:
    """Whether ``signature`` is the base64 HMAC-SHA256 of the raw ``body``; takes equally long either way."""
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    # As bytes: strings outside of ASCII could not be compared.
    return hmac.compare_digest(base64.b64encode(digest), signature.strip().encode("utf-8", "replace"))
