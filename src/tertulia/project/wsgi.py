"""What the web server calls for every ordinary page."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tertulia.project.settings")
application = get_wsgi_application()
