"""The doors of the journeys, by theme."""

from django.urls import path

from tertulia.strategy.plans import STEPS

from .views import (
    backups,
    door,
    first_run,
    health,
    launching,
    news,
    newsletter,
    personal,
    phone,
    plans,
    posted,
    quarantine,
    running,
    shop,
    visitors,
)

_PLAN = "b/<slug:brand>/plans/<int:plan_id>/"
_LINES = {
    "audience": "audience_id", "objectives": "objective_id", "channels": "plan_channel_id",
    "calendar": "planned_action_id", "people": "duty_id",
}  # fmt: skip
"""The steps of a plan that are made of lines, each with what its address calls one."""

urlpatterns = [
    path("", first_run.home, name="home"),
    path("setup/<str:token>/", first_run.set_up, name="setup"),
    path("healthz", health.process, name="healthz"),
    path("readyz", health.readiness, name="readyz"),
    path("metrics", health.figures, name="metrics"),
    # Where networks deliver.
    path("in/<str:public_key>/", door.webhook, name="webhook"),
    # The company's own page: public, for visitors.
    path("site/widget.js", visitors.widget, name="widget"),
    path("site/<str:public_key>/hello", visitors.hello, name="visitor_hello"),
    path("site/<str:public_key>/messages", visitors.messages, name="visitor_messages"),
    # What it tells there.
    path("site/news.js", news.script, name="news_script"),
    path("s/<str:public_key>/news/", news.show_list, name="news"),
    path("s/<str:public_key>/news/rss.xml", news.rss, name="news_rss"),
    path("s/<str:public_key>/news/feed.json", news.json_feed, name="news_json"),
    path("s/<str:public_key>/news/<int:news_id>/", news.show_item, name="news_item"),
    path("s/<str:public_key>/news/<int:news_id>/<int:number>/", news.show_picture, name="news_picture"),
    # Its newsletters: coming and going.
    path("n/<str:public_key>/", newsletter.sign_up, name="newsletter_door"),
    path("n/<str:subscription_token>/confirmation/", newsletter.confirm, name="subscription"),
    path("n/<str:subscription_token>/end/", newsletter.end, name="subscription_end"),
    path("shop/<slug:brand>/", shop.shop, name="shop"),
    # What could not be read, once more.
    path("b/<slug:brand>/channels/unread/<int:quarantine_id>/reading/", quarantine.read, name="read_again"),
    path("b/<slug:brand>/channels/<int:account_id>/unread/reading/", quarantine.read_all, name="read_all_again"),
    # What is held of people, and what they may ask for.
    path("b/<slug:brand>/people/<int:member_id>/data/", personal.show, name="personal_data"),
    path("b/<slug:brand>/people/<int:member_id>/data/copies/", personal.export, name="personal_copies"),
    path("b/<slug:brand>/people/data/copies/<int:export_id>/", personal.download, name="personal_copy"),
    path("b/<slug:brand>/people/<int:member_id>/data/restriction/", personal.restrict, name="personal_restriction"),
    path(
        "b/<slug:brand>/people/<int:member_id>/data/restriction/removal/",
        personal.lift,
        name="personal_restriction_end",
    ),
    path("b/<slug:brand>/people/<int:member_id>/data/consents/", personal.consent, name="personal_consents"),
    path("b/<slug:brand>/people/data/consents/<int:consent_id>/end/", personal.withdraw, name="personal_consent_end"),
    path("b/<slug:brand>/people/<int:member_id>/data/erasure/", personal.erase, name="personal_erasure"),
    path("b/<slug:brand>/settings/personal-data/", personal.record, name="processing"),
    path("b/<slug:brand>/settings/personal-data/requests/", personal.note_request, name="data_requests"),
    path(
        "b/<slug:brand>/settings/personal-data/requests/<int:request_id>/outcome/",
        personal.settle_request,
        name="data_request_outcome",
    ),
    path("b/<slug:brand>/settings/personal-data/<int:account_id>/", personal.retention, name="retention"),
    # What was said aloud.
    path("b/<slug:brand>/phone/new/", phone.note, name="phone_note"),
    path("b/<slug:brand>/phone/people/", phone.search, name="phone_people"),
    # What stands on a platform without an API.
    path("b/<slug:brand>/messages/new/", posted.note, name="posted_note"),
    # What goes on outside, beside a conversation.
    path("b/<slug:brand>/conversations/<int:conversation_id>/running/", running.show, name="running"),
    # The installation's own.
    path("b/<slug:brand>/settings/backups/", backups.show, name="backups"),
    path("b/<slug:brand>/settings/backups/making/", backups.make, name="backup_making"),
    # A product and all that is said of it.
    path("b/<slug:brand>/campaigns/launch/", launching.launch, name="launch"),
    # A marketing plan, step by step.
    path("b/<slug:brand>/plans/", plans.show_all, name="plans"),
    path("b/<slug:brand>/plans/beginning/", plans.begin, name="plan_beginning"),
    path(_PLAN, plans.show, name="plan"),
    path(f"{_PLAN}details/", plans.change, name="plan_details"),
    path(f"{_PLAN}pdf/", plans.show_pdf, name="plan_pdf"),
    path(f"{_PLAN}work/", plans.put_to_work, name="plan_work"),
    path(f"{_PLAN}removal/", plans.discard, name="plan_removal"),
    path(f"{_PLAN}objectives/<int:objective_id>/indicators/", plans.add_kpi, name="plan_kpis"),
    path(f"{_PLAN}indicators/<int:kpi_id>/", plans.change_kpi, name="plan_kpi"),
    path(f"{_PLAN}indicators/<int:kpi_id>/removal/", plans.remove_kpi, name="plan_kpi_removal"),
    *(path(f"{_PLAN}{step}/", plans.show_step, {"step": step}, name=f"plan_{step}") for step in STEPS),
    *(
        path(f"{_PLAN}{step}/<int:{name}>/", plans.change_line, {"step": step}, name=f"plan_{step}_line")
        for step, name in _LINES.items()
    ),
    *(
        path(
            f"{_PLAN}{step}/<int:{name}>/removal/", plans.remove_line, {"step": step}, name=f"plan_{step}_line_removal"
        )
        for step, name in _LINES.items()
    ),
]
