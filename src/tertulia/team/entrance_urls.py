"""Every address of signing in and of one's own sign-in.

allauth's own list has more: signing up, several addresses, joining accounts by hand. What we don't use has no address.
"""

from __future__ import annotations

from allauth.account import views as account
from allauth.mfa.base import views as second_factor
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as app
from allauth.mfa.webauthn import views as passkey
from allauth.socialaccount import views as company
from allauth.socialaccount.providers.openid_connect import views as oidc
from allauth.usersessions import views as sessions
from django.urls import path, re_path

from .entrance import ends_other_sessions, forgets, leave_by_page
from .views import company as by_itself
from .views import own

urlpatterns = [
    path("language/", own.appearance, name="set_language"),
    path("login/", account.login, name="account_login"),
    path("logout/", forgets(account.logout), name="account_logout"),
    path("closed/", account.account_inactive, name="account_inactive"),
    path("again/", account.reauthenticate, name="account_reauthenticate"),
    path("password/", account.password_change, name="account_change_password"),
    path("password/first/", account.password_set, name="account_set_password"),
    path("password/forgotten/", account.password_reset, name="account_reset_password"),
    path("password/forgotten/sent/", account.password_reset_done, name="account_reset_password_done"),
    path("password/new/done/", account.password_reset_from_key_done, name="account_reset_password_from_key_done"),
    re_path(
        r"^password/new/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/\Z",
        account.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path("second-step/", second_factor.index, name="mfa_index"),
    path("second-step/code/", second_factor.authenticate, name="mfa_authenticate"),
    path("second-step/again/", second_factor.reauthenticate, name="mfa_reauthenticate"),
    path("second-step/app/", ends_other_sessions(app.activate_totp), name="mfa_activate_totp"),
    path("second-step/app/removal/", app.deactivate_totp, name="mfa_deactivate_totp"),
    path("second-step/recovery-codes/", recovery_codes.view_recovery_codes, name="mfa_view_recovery_codes"),
    path("second-step/recovery-codes/new/", recovery_codes.generate_recovery_codes, name="mfa_generate_recovery_codes"),
    path(
        "second-step/recovery-codes/file/", recovery_codes.download_recovery_codes, name="mfa_download_recovery_codes"
    ),
    path("passkeys/", passkey.list_webauthn, name="mfa_list_webauthn"),
    path("passkeys/new/", ends_other_sessions(passkey.add_webauthn), name="mfa_add_webauthn"),
    path("passkeys/again/", passkey.reauthenticate_webauthn, name="mfa_reauthenticate_webauthn"),
    path("passkeys/login/", passkey.login_webauthn, name="mfa_login_webauthn"),
    path("passkeys/<int:pk>/", passkey.edit_webauthn, name="mfa_edit_webauthn"),
    path("passkeys/<int:pk>/removal/", passkey.remove_webauthn, name="mfa_remove_webauthn"),
    path("sessions/", sessions.list_usersessions, name="usersessions_list"),
    path("company/cancelled/", company.login_cancelled, name="socialaccount_login_cancelled"),
    path("company/error/", company.login_error, name="socialaccount_login_error"),
    path("company/<str:provider_id>/", leave_by_page(oidc.login), name="openid_connect_login"),
    path("company/<str:provider_id>/back/", oidc.callback, name="openid_connect_callback"),
    path("company/<str:provider_id>/logout/", by_itself.back_channel_logout, name="company_logout"),
]
