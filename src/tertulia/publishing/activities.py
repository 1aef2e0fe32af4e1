"""What can happen to a post, and the sentence that tells it."""

from django.utils.translation import gettext_lazy as _

from tertulia.core.activity import declare

CREATED = declare("post.created", _("{who} began the post “{title}”"))
EDITED = declare("post.edited", _("{who} changed the post “{title}”"))
SCHEDULED = declare("post.scheduled", _("{who} scheduled the post “{title}”"))
MOVED = declare("post.moved", _("{who} gave the post “{title}” another time"))
SHIFTED = declare("post.shifted", _("The moment of the post “{title}” follows its clock"))
CANCELLED = declare("post.cancelled", _("{who} cancelled the post “{title}”"))
RETRIED = declare("post.retried", _("{who} sent the post “{title}” again to {account}"))
DECIDED = declare("post.decided", _("{who} settled whether the post “{title}” is on {account}"))
DELETING = declare("post.deleting", _("{who} had the post “{title}” deleted"))
SENT = declare("post.sent", _("The post “{title}” was published on {account}"))
PART_SENT = declare("post.part_sent", _("A further part of “{title}” was published on {account}"), is_public=False)
REFUSED = declare("post.refused", _("{account} refused the post “{title}”"))
UNKNOWN = declare("post.unknown", _("It is not known whether the post “{title}” is on {account}"))
MISSED = declare("post.missed", _("The post “{title}” could not leave in time for {account}"))
BY_HAND = declare("post.by_hand", _("The post “{title}” waits to be put on {account} by hand"))
DONE_BY_HAND = declare("post.done_by_hand", _("{who} put the post “{title}” on {account} by hand"))
DELETED = declare("post.deleted", _("The post “{title}” was deleted from {account}"))
DELETE_FAILED = declare("post.delete_failed", _("The post “{title}” could not be deleted from {account}"))
STOPPED = declare("publishing.stopped", _("{who} stopped everything that was to be published"))
RESUMED = declare("publishing.resumed", _("{who} let publishing go on"))
SETTLED = declare("publishing.settings", _("{who} changed after how many minutes a late post asks: {minutes}"))
ADDED = declare("media.added", _("{who} added the picture {file}"))
CHANGED = declare("media.changed", _("{who} changed what is said of the picture {file}"))
REMOVED = declare("media.removed", _("{who} removed the picture {file}"))
RHYTHM = declare("publishing.rhythm", _("{who} changed how often {account} publishes"))
