from django.contrib.staticfiles.storage import ManifestStaticFilesStorage


class Storage(ManifestStaticFilesStorage):
    """Names carry the content's hash; a file that was not collected is served under its plain name."""

    manifest_strict = False
