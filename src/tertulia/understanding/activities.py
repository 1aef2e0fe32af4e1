"""What can happen to a reading, and the sentence that tells it."""

from django.utils.translation import gettext_lazy as _

from tertulia.core.activity import declare

CORRECTED = declare("reading.corrected", _("{who} corrected what was understood of a message"))
UNCORRECTED = declare("reading.uncorrected", _("{who} took back a correction of what was understood"))
TAUGHT = declare("learning.taught", _("What the corrections teach is in use"))
HELD = declare(
    "learning.held",
    _("What was learnt from corrections reads “{field}” worse in your own messages: decide whether to use it"),
    says=("field",),
)
DOUBTED = declare(
    "learning.doubted",
    _(
        "Few set-aside messages judge “{field}”, and fewer of them are read right since the last training: {was}"
        " before, {now} now. Look at it"
    ),
    says=("field",),
)
ACCEPTED = declare("learning.accepted", _("{who} put to use what was learnt although some is read worse"))
REFUSED = declare("learning.refused", _("{who} left what was learnt and reads worse"))
SWITCHED_ON = declare("learning.on", _("{who} switched on what the corrections teach"))
SWITCHED_OFF = declare("learning.off", _("{who} switched off what the corrections teach"))
FORGOTTEN = declare("learning.forgotten", _("{who} had everything forgotten that corrections taught"))
IMPORTED = declare("learning.imported", _("{who} imported {count} examples to learn from"))
UNIMPORTED = declare("learning.unimported", _("{who} took back an import of examples"))
TOPIC_ADDED = declare("topic.added", _("{who} added the topic {topic}"))
TOPIC_RENAMED = declare("topic.renamed", _("{who} renamed the topic {was} to {topic}"))
TOPIC_REMOVED = declare("topic.removed", _("{who} removed the topic {topic}"))
TOPIC_RESTORED = declare("topic.restored", _("{who} brought back the topic {topic}"))
BRAIN_SET = declare("brain.set", _("{who} set up the reading model {model}"))
BRAIN_REMOVED = declare("brain.removed", _("{who} removed the reading model {model}"))
BUDGET_USED = declare("brain.budget_used", _("The month's budget of {model} is used up; the shipped model reads alone"))
BRAIN_FAILING = declare("brain.failing", _("The reading model {model} fails: {why}"), says=("why",))
