"""What can happen to a post, and the sentence that tells it."""

from django.utils.translation import gettext_lazy as _

from tertulia.core.activity import declare

CREATED = declare("post.created", _("{who} began the post “{title}”"))
EDITED = declare("post.edited", _("{who} changed the post “{title}”"))
ASSIGNED = declare("post.campaign", _("{who} changed which campaign the post “{title}” belongs to"))
SCHEDULED = declare("post.scheduled", _("{who} scheduled the post “{title}”"))
MOVED = declare("post.moved", _("{who} gave the post “{title}” another time"))
SHIFTED = declare("post.shifted", _("The moment of the post “{title}” follows its clock"))
CANCELLED = declare("post.cancelled", _("{who} cancelled the post “{title}”"))
APPROVAL_ASKED = declare("post.approval_asked", _("{who} asks for approval of the post “{title}”"))
APPROVAL_WAITS = declare("post.approval_waits", _("The post “{title}” still waits for approval"))
APPROVAL_LATE = declare(
    "post.approval_late", _("The time of the post “{title}” has passed while it waited for approval")
)
NOBODY_APPROVES = declare(
    "post.nobody_approves", _("Nobody is left who could approve the post “{title}”: it has to be asked for anew")
)
APPROVED = declare("post.approved", _("{said_by} approved the post “{title}”"))
ALL_APPROVED = declare("post.all_approved", _("The post “{title}” has every approval"))
CHANGES_WANTED = declare("post.changes_wanted", _("{said_by} wants the post “{title}” changed"))
APPROVAL_LOST = declare("post.approval_lost", _("The post “{title}” was changed and has to be approved again"))
APPROVAL_NEEDED = declare(
    "post.approval_needed", _("The post “{title}” has come under a rule of approval and waits for it")
)
RULE_ADDED = declare("approval.rule_added", _("{who} added a rule of approval"))
RULE_CHANGED = declare("approval.rule_changed", _("{who} changed a rule of approval"))
RULE_REMOVED = declare("approval.rule_removed", _("{who} removed a rule of approval"))
RETRIED = declare("post.retried", _("{who} sent the post “{title}” again to {account}"))
DECIDED = declare("post.decided", _("{who} settled whether the post “{title}” is on {account}"))
DELETING = declare("post.deleting", _("{who} had the post “{title}” deleted"))
SENT = declare("post.sent", _("The post “{title}” was published on {account}"))
PART_SENT = declare("post.part_sent", _("A further part of “{title}” was published on {account}"), is_public=False)
REFUSED = declare("post.refused", _("{account} refused the post “{title}”"))
UNKNOWN = declare("post.unknown", _("It is not known whether the post “{title}” is on {account}"))
MISSED = declare("post.missed", _("The post “{title}” could not leave in time for {account}"))
BY_HAND = declare("post.by_hand", _("The post “{title}” waits to be put on {account} by hand"))
BY_HAND_SOON = declare("post.by_hand_soon", _("The post “{title}” is soon to be put on {account} by hand"))
BY_HAND_WAITS = declare("post.by_hand_waits", _("The post “{title}” still waits to be put on {account} by hand"))
DONE_BY_HAND = declare("post.done_by_hand", _("{who} put the post “{title}” on {account} by hand"))
GIVEN_UP = declare("post.given_up", _("{who} left out what was still to be done for “{title}” on {account}"))
DELETED = declare("post.deleted", _("The post “{title}” was deleted from {account}"))
DELETE_FAILED = declare("post.delete_failed", _("The post “{title}” could not be deleted from {account}"))
QUOTE_ENDED = declare(
    "post.quote_ended",
    _("The post “{title}” quotes somebody who may not be quoted any more: it won't leave as it is"),
    is_public=False,
)
ABSENT = declare("post.absent", _("{account} doesn't show the post “{title}” any more"))
STOPPED = declare("publishing.stopped", _("{who} stopped everything that was to be published"))
RESUMED = declare("publishing.resumed", _("{who} let publishing go on"))
SETTLED = declare("publishing.settings", _("{who} changed after how many minutes a late post asks: {minutes}"))
ZONE_SETTLED = declare(
    "publishing.zone", _("{who} decided what becomes of posts of the time zone before. Moved to {zone}: {moved}")
)
ADDED = declare("media.added", _("{who} added the file {file}"))
CHANGED = declare("media.changed", _("{who} changed what is said of the file {file}"))
REMOVED = declare("media.removed", _("{who} removed the file {file}"))
LINKED = declare("link.made", _("{who} made the link {link}"))
UNLINKED = declare("link.ended", _("{who} ended the link {link}"))
LINKS_SETTLED = declare("links.settings", _("{who} changed what becomes of links"))
COUPON_ADDED = declare("coupon.added", _("{who} added the coupon {code}"))
COUPON_REMOVED = declare("coupon.removed", _("{who} removed the coupon {code}"))
CONVERTED = declare("conversion.recorded", _("The order {reference} was taken down"))
IMPORTED = declare("conversions.imported", _("{who} imported {count} orders"))
REPEATED = declare("series.made", _("{who} lets the post “{title}” come back"))
RULED = declare("series.changed", _("{who} changed how the post “{title}” comes back"))
SKIPPED = declare("series.skipped", _("{who} left out a day of the series “{title}”"))
STUCK = declare("series.stuck", _("A day of the series “{title}” doesn't leave by itself: {why}"))
ENDED = declare("series.ended", _("{who} ended the series “{title}”"))
POOLED = declare("evergreen.added", _("{who} put “{title}” among the texts that don't age"))
RESTED = declare("evergreen.changed", _("{who} changed how often “{title}” may be repeated"))
UNPOOLED = declare("evergreen.removed", _("{who} took “{title}” from the texts that don't age"))
TRIED = declare("experiment.begun", _("{who} began the experiment “{title}”"))
JUDGED = declare("experiment.closed", _("{who} closed the experiment “{title}” with what was learned"))
WON = declare("experiment.won", _("{who} lets it go on with the wording that won in “{title}”"))
INITIATED = declare("initiative.added", _("{who} put the action “{title}” on the calendar"))
REVISED = declare("initiative.changed", _("{who} changed the action “{title}”"))
FINISHED = declare("initiative.done", _("{who} marked the action “{title}” as done"))
REOPENED = declare("initiative.reopened", _("{who} marked the action “{title}” as not done"))
DROPPED = declare("initiative.removed", _("{who} removed the action “{title}”"))
PLAN_LAID_OUT = declare("plan.laid_out", _("{who} put actions of the plan “{plan}” on the calendar: {added}"))
POSTS_IMPORTED = declare("posts.imported", _("{who} imported posts from {file}: {added}"))
IDEA_ADDED = declare("idea.added", _("{who} added the idea “{title}”"))
IDEA_BY_RULE = declare("idea.by_rule", _("The rule “{rule}” made an idea of a message"))
IDEA_CHANGED = declare("idea.changed", _("{who} changed the idea “{title}”"))
IDEA_CHOSEN = declare("idea.chosen", _("{who} chose the idea “{title}” to be written"))
IDEA_RETURNED = declare("idea.returned", _("{who} put the idea “{title}” back among the new ones"))
IDEA_ASIDE = declare("idea.set_aside", _("{who} set the idea “{title}” aside: {because}"))
IDEA_POSTED = declare("idea.posted", _("{who} made a post of the idea “{title}”"))
PILLAR_KEPT = declare("pillar.kept", _("{who} changed the content pillars: {pillar}"))
PILLAR_GONE = declare("pillar.removed", _("{who} removed the content pillar {pillar}"))
SUBSCRIBED = declare("calendar.subscribed", _("{who} subscribed to the calendar"), is_public=False)
UNSUBSCRIBED = declare("calendar.unsubscribed", _("{who} ended their subscription to the calendar"), is_public=False)
FIGURES_TYPED = declare(
    "post.figures", _("{who} wrote down figures of the post “{title}” on {account}"), is_public=False
)
FIGURES_BROUGHT = declare(
    "publishing.figures_brought", _("{who} brought figures of posts from a file, in {rows} rows"), is_public=False
)
RHYTHM = declare("publishing.rhythm", _("{who} changed how often {account} publishes"))

JOINED = declare("newsletter.joined", _("Somebody joined the newsletter {account}"))
LEFT = declare("newsletter.left", _("Somebody left the newsletter {account}"))
BOUNCED = declare("newsletter.bounced", _("Mail to somebody on the newsletter {account} comes back"))
COMPLAINED = declare("newsletter.complained", _("{who} noted that somebody complained about the newsletter {account}"))
TAKEN_OFF = declare("newsletter.taken_off", _("{who} took somebody off the newsletter {account}"))
BROUGHT = declare("newsletter.brought", _("{who} put people from a file on the newsletter {account}: {added}"))
ERASED = declare("newsletter.erased", _("{who} erased somebody from the newsletter {account}"))
LETTER_DECIDED = declare("newsletter.decided", _("{who} settled whether a mail of the newsletter {account} arrived"))
LETTERS_DECIDED = declare(
    "newsletter.all_decided", _("{who} settled whether {letters} mails of the newsletter {account} arrived")
)
LETTERS_AGAIN = declare("newsletter.again", _("{who} sent refused mails of the newsletter {account} again: {letters}"))
MAILED = declare("newsletter.mailed", _("The newsletter {account} goes to {letters} people"))
TESTED = declare(
    "newsletter.tested", _("{who} had the post “{title}” of the newsletter {account} sent as a test"), is_public=False
)
TEST_REFUSED = declare(
    "newsletter.test_refused", _("The test of the post “{title}” did not come: {why}"), is_public=False, says=("why",)
)
TEST_UNKNOWN = declare(
    "newsletter.test_unknown", _("The test of the post “{title}” may not have come: {why}"), is_public=False,
    says=("why",),
)  # fmt: skip
UNALLOWED = declare(
    "newsletter.unallowed", _("{letters} mails of the newsletter {account} stay here: {why}"), says=("why",)
)
CUT_OFF = declare("newsletter.cut_off", _("{who} took back mails of the newsletter {account}: {letters}"))
NAMED = declare("handle.kept", _("{who} took down how the networks call {whom}"), is_public=False)
UNNAMED = declare("handle.removed", _("{who} took {whom} from the names on the networks"), is_public=False)
PIECE_ADDED = declare("piece.added", _("{who} saved the piece “{title}”"))
PIECE_CHANGED = declare("piece.changed", _("{who} changed the saved piece “{title}”"))
PIECE_REMOVED = declare("piece.removed", _("{who} removed the saved piece “{title}”"))
