"""All stand-ins that there are."""

from local.sandboxes.echo.sandbox import ECHO
from local.sandboxes.smtp.sandbox import SMTP
from local.sandboxes.stripe.sandbox import STRIPE

SANDBOXES = (STRIPE, SMTP, ECHO)
