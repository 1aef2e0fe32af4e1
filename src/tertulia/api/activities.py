"""What can happen to tokens and webhooks. Webhooks do not hear of it: it concerns whoever runs the desk."""

from django.utils.translation import gettext_lazy as _

from tertulia.core.activity import declare

TOKEN_CREATED = declare("token.created", _("{who} created the API token {token}"), is_public=False)
TOKEN_REVOKED = declare("token.revoked", _("{who} revoked the API token {token}"), is_public=False)
WEBHOOK_ADDED = declare("webhook.added", _("{who} added the webhook {url}"), is_public=False)
WEBHOOK_CHANGED = declare("webhook.changed", _("{who} changed the webhook {url}"), is_public=False)
WEBHOOK_ROTATED = declare("webhook.rotated", _("{who} changed the secret of the webhook {url}"), is_public=False)
WEBHOOK_REMOVED = declare("webhook.removed", _("{who} removed the webhook {url}"), is_public=False)
WEBHOOK_FAILING = declare("webhook.failing", _("The webhook {url} is not answering: {answer}"), is_public=False)
WEBHOOK_GONE = declare("webhook.gone", _("The webhook {url} asked for no more events and was paused"), is_public=False)
