"""What this room holds of people (`core.personal`)."""

from tertulia.core.personal import none

from .models import CatchUp, Mark

none("What somebody of the team has read of the articles of others.", Mark, CatchUp)
