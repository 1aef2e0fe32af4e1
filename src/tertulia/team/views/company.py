"""What the company's sign-in tells us by itself, without anybody's browser."""

from __future__ import annotations

from allauth.socialaccount.models import SocialApp
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from tertulia.team import company, signing


@csrf_exempt  # no browser comes here: the token is signed by the provider
@require_POST
def back_channel_logout(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Somebody signed out there: 200 when that is carried out here, 400 when the token isn't believed."""
    response: HttpResponse
    try:
        ended = company.end_sessions(request, provider_id, request.POST.get("logout_token", ""))
    except SocialApp.DoesNotExist:
        raise Http404 from None
    except company.BadToken as error:
        signing.company_not_believed(request, provider_id, str(error))
        response = JsonResponse({"error": "invalid_request", "error_description": str(error)}, status=400)
    else:
        signing.ended_by_company(request, ended)
        response = HttpResponse()
    response["Cache-Control"] = "no-store"
    return response
