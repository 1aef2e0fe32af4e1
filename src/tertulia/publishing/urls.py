from django.urls import path

from .views import acts, approvals, calendar, campaigns, composer, links

app_name = "publishing"

_POST = "b/<slug:brand>/posts/<int:post_id>/"
_APPROVAL = "b/<slug:brand>/approvals/<int:request_id>/"
_RULES = "b/<slug:brand>/settings/approval/"
_CAMPAIGN = "b/<slug:brand>/campaigns/<int:campaign_id>/"
_FILE = "b/<slug:brand>/conversions/files/<int:order_file_id>/"
_DELIVERY = "b/<slug:brand>/posts/deliveries/<int:posting_id>/"

urlpatterns = [
    path("b/<slug:brand>/posts/", calendar.show, name="posts"),
    path("b/<slug:brand>/posts/beginning/", composer.begin, name="beginning"),
    path("b/<slug:brand>/posts/beginning/draft/", composer.keep_new_draft, name="new_draft"),
    path("b/<slug:brand>/posts/beginning/draft/removal/", composer.discard_new_draft, name="new_draft_removal"),
    path("b/<slug:brand>/posts/stop/", acts.stop, name="stop"),
    path("b/<slug:brand>/posts/stop/removal/", acts.resume, name="stop_removal"),
    path(_POST, calendar.show_post, name="post"),
    path(f"{_POST}text/", composer.change, name="text"),
    path(f"{_POST}draft/", composer.keep_draft, name="draft"),
    path(f"{_POST}draft/removal/", composer.discard_draft, name="draft_removal"),
    path(f"{_POST}time/", calendar.move, name="time"),
    path(f"{_POST}schedule/", acts.schedule, name="schedule"),
    path(f"{_POST}publication/", acts.publish_now, name="publication"),
    path(f"{_POST}cancellation/", acts.cancel, name="cancellation"),
    path(f"{_POST}deletion/", acts.delete, name="deletion"),
    path(f"{_POST}approval/", approvals.ask, name="approval"),
    path(f"{_APPROVAL}decision/", approvals.decide, name="approval_decision"),
    path(f"{_APPROVAL}link/", approvals.invite, name="approval_link"),
    path("approval/<str:token>/", approvals.show_guest, name="guest"),
    path("approval/<str:token>/pictures/<slug:digest>/", approvals.show_guest_media, name="guest_media"),
    path(_RULES, approvals.show_rules, name="approval_rules"),
    path(f"{_RULES}<int:approval_rule_id>/", approvals.change_rule, name="approval_rule"),
    path(f"{_RULES}<int:approval_rule_id>/removal/", approvals.remove_rule, name="approval_rule_removal"),
    path(f"{_DELIVERY}retry/", acts.retry, name="retry"),
    path(f"{_DELIVERY}decision/", acts.decide, name="decision"),
    path(f"{_DELIVERY}completion/", acts.complete, name="completion"),
    path("b/<slug:brand>/campaigns/", campaigns.show_all, name="campaigns"),
    path("b/<slug:brand>/campaigns/beginning/", campaigns.begin, name="campaign_beginning"),
    path(_CAMPAIGN, campaigns.show, name="campaign"),
    path(f"{_CAMPAIGN}details/", campaigns.change, name="campaign_details"),
    path(f"{_CAMPAIGN}closure/", campaigns.close, name="campaign_closure"),
    path(f"{_CAMPAIGN}closure/removal/", campaigns.reopen, name="campaign_closure_removal"),
    path("b/<slug:brand>/links/", links.show, name="links"),
    path("b/<slug:brand>/links/new/", links.make, name="new_link"),
    path("b/<slug:brand>/links/settings/", links.settle, name="link_settings"),
    path("b/<slug:brand>/links/<int:link_id>/", links.show_link, name="link"),
    path("b/<slug:brand>/links/<int:link_id>/ending/", links.end, name="link_ending"),
    path("b/<slug:brand>/coupons/", links.coupons, name="coupons"),
    path("b/<slug:brand>/coupons/new/", links.add_coupon, name="new_coupon"),
    path("b/<slug:brand>/coupons/<int:coupon_id>/removal/", links.remove_coupon, name="coupon_removal"),
    path("b/<slug:brand>/conversions/", links.orders, name="conversions"),
    path("b/<slug:brand>/conversions/new/", links.note_order, name="new_conversion"),
    path("b/<slug:brand>/conversions/files/", links.hand_in_file, name="order_files"),
    path(_FILE, links.show_file, name="order_file"),
    path(f"{_FILE}import/", links.take_over_file, name="order_file_import"),
    path(f"{_FILE}removal/", links.drop_file, name="order_file_removal"),
    path("b/<slug:brand>/media/", acts.add_media, name="media"),
    path("b/<slug:brand>/media/<int:media_id>/", acts.show_media, name="media_file"),
]
