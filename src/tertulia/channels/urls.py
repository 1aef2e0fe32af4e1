from django.urls import path

from .views import accounts, consents, figures, help, quarantine

app_name = "channels"
urlpatterns = [
    path("b/<slug:brand>/channels/", accounts.show_list, name="list"),
    path("b/<slug:brand>/channels/new/", accounts.choose, name="choose"),
    path("b/<slug:brand>/channels/new/<slug:kind>/", accounts.add, name="add"),
    path("b/<slug:brand>/channels/new/<slug:kind>/consent/", consents.begin_new, name="new_consent"),
    path("b/<slug:brand>/channels/<int:account_id>/", accounts.account, name="account"),
    path("b/<slug:brand>/channels/<int:account_id>/pause/", accounts.pause, name="pause"),
    path("b/<slug:brand>/channels/<int:account_id>/resumption/", accounts.resume, name="resumption"),
    path("b/<slug:brand>/channels/<int:account_id>/keys/", accounts.renew_keys, name="keys"),
    path("b/<slug:brand>/channels/<int:account_id>/consent/", consents.begin, name="consent"),
    path("channels/consent/", consents.back, name="consent_back"),
    path("b/<slug:brand>/channels/<int:account_id>/help/", help.show, name="help"),
    path("b/<slug:brand>/channels/<int:account_id>/figures/", figures.show, name="figures"),
    path("b/<slug:brand>/channels/unread/", quarantine.show, name="quarantine"),
    path("b/<slug:brand>/channels/unread/<int:quarantine_id>/", quarantine.original, name="original"),
    path("b/<slug:brand>/channels/unread/<int:quarantine_id>/settlement/", quarantine.settle, name="settlement"),
]
