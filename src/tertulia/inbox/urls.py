from django.urls import path

from .views import acts, arrangement, brains, desk, learning, messages, person, rules, writing

app_name = "inbox"

_CONVERSATION = "b/<slug:brand>/inbox/<int:conversation_id>/"

urlpatterns = [
    path("b/<slug:brand>/inbox/", desk.show_list, name="list"),
    path(_CONVERSATION, desk.show_conversation, name="conversation"),
    path(f"{_CONVERSATION}news/", desk.show_news, name="news"),
    path(f"{_CONVERSATION}saved-replies/", desk.offer_saved_replies, name="saved_reply_choice"),
    path(f"{_CONVERSATION}replies/", writing.reply, name="replies"),
    path(f"{_CONVERSATION}notes/", writing.add_note, name="notes"),
    path(f"{_CONVERSATION}draft/", writing.keep_draft, name="draft"),
    path(f"{_CONVERSATION}presence/", writing.look, name="presence"),
    path(f"{_CONVERSATION}assignment/", acts.assign, name="assignment"),
    path(f"{_CONVERSATION}labels/", acts.put_label, name="labelling"),
    path(f"{_CONVERSATION}snooze/", acts.snooze, name="snooze"),
    path(f"{_CONVERSATION}waking/", acts.wake, name="waking"),
    path(f"{_CONVERSATION}closure/", acts.close, name="closure"),
    path(f"{_CONVERSATION}reopening/", acts.reopen, name="reopening"),
    path("b/<slug:brand>/deliveries/<int:delivery_id>/withdrawal/", writing.withdraw, name="withdrawal"),
    path("b/<slug:brand>/deliveries/<int:delivery_id>/decision/", writing.decide, name="decision"),
    path("b/<slug:brand>/deliveries/<int:delivery_id>/retry/", writing.retry, name="retry"),
    path("b/<slug:brand>/deliveries/<int:delivery_id>/completion/", messages.complete, name="completion"),
    path("b/<slug:brand>/deliveries/<int:delivery_id>/abandonment/", messages.abandon, name="abandonment"),
    path("b/<slug:brand>/messages/<int:message_id>/", messages.show, name="message"),
    path("b/<slug:brand>/messages/<int:message_id>/acts/", messages.act, name="acts"),
    path("b/<slug:brand>/messages/<int:message_id>/reading/", messages.correct_reading, name="reading"),
    path("b/<slug:brand>/messages/<int:message_id>/translation/", messages.translate, name="translation"),
    path("b/<slug:brand>/messages/<int:message_id>/original/", messages.download_original, name="original"),
    path("b/<slug:brand>/messages/<int:message_id>/files/<int:number>/", messages.download_file, name="file"),
    path("b/<slug:brand>/inbox/views/", desk.keep_view, name="saved_views"),
    path("b/<slug:brand>/inbox/views/<int:view_id>/removal/", desk.forget_view, name="saved_view_removal"),
    path("b/<slug:brand>/people/<int:member_id>/", person.show_person, name="person"),
    path("b/<slug:brand>/people/<int:member_id>/joining/", person.join, name="joining"),
    path("b/<slug:brand>/joinings/<int:joining_id>/removal/", person.part, name="parting"),
    path("b/<slug:brand>/settings/models/", brains.show, name="brains"),
    path("b/<slug:brand>/settings/models/<int:brain_id>/", brains.change, name="brain"),
    path("b/<slug:brand>/settings/models/<int:brain_id>/removal/", brains.remove, name="brain_removal"),
    path("b/<slug:brand>/settings/models/<int:brain_id>/trial/", brains.try_it, name="brain_trial"),
    path("b/<slug:brand>/settings/models/<int:brain_id>/calls/", brains.show_calls, name="brain_calls"),
    path("b/<slug:brand>/settings/models/<int:brain_id>/calls.jsonl", brains.export_calls, name="brain_export"),
    path("b/<slug:brand>/settings/learning/", learning.show, name="learning"),
    path("b/<slug:brand>/settings/learning/switch/", learning.switch, name="learning_switch"),
    path("b/<slug:brand>/settings/learning/decision/", learning.decide, name="learning_decision"),
    path("b/<slug:brand>/settings/learning/forgetting/", learning.forget, name="learning_forgetting"),
    path("b/<slug:brand>/settings/learning/topics/", learning.add_topic, name="topics"),
    path("b/<slug:brand>/settings/learning/topics/<int:topic_id>/", learning.rename_topic, name="topic"),
    path(
        "b/<slug:brand>/settings/learning/topics/<int:topic_id>/removal/", learning.remove_topic, name="topic_removal"
    ),
    path(
        "b/<slug:brand>/settings/learning/topics/<int:topic_id>/removal/undoing/",
        learning.restore_topic,
        name="topic_restoring",
    ),
    path(
        "b/<slug:brand>/settings/learning/corrections/<int:correction_id>/undoing/", learning.undo, name="uncorrecting"
    ),
    path("b/<slug:brand>/settings/learning/examples/", learning.examples, name="examples"),
    path("b/<slug:brand>/settings/learning/imports/<int:import_id>/undoing/", learning.undo_import, name="unimporting"),
    path("b/<slug:brand>/settings/labels/", arrangement.show_labels, name="labels"),
    path("b/<slug:brand>/settings/labels/<int:label_id>/", arrangement.change_label, name="label"),
    path("b/<slug:brand>/settings/labels/<int:label_id>/removal/", arrangement.remove_label, name="label_removal"),
    path("b/<slug:brand>/settings/saved-replies/", arrangement.show_saved_replies, name="saved_replies"),
    path("b/<slug:brand>/settings/saved-replies/<int:reply_id>/", arrangement.change_saved_reply, name="saved_reply"),
    path(
        "b/<slug:brand>/settings/saved-replies/<int:reply_id>/removal/",
        arrangement.remove_saved_reply,
        name="saved_reply_removal",
    ),
    path("b/<slug:brand>/settings/automatic-answers/", arrangement.show_automatic_replies, name="automatic_replies"),
    path(
        "b/<slug:brand>/settings/automatic-answers/<int:account_id>/",
        arrangement.set_automatic_reply,
        name="automatic_reply",
    ),
    path("b/<slug:brand>/settings/rules/", rules.show_rules, name="rules"),
    path("b/<slug:brand>/settings/rules/<int:rule_id>/", rules.change_rule, name="rule"),
    path("b/<slug:brand>/settings/rules/<int:rule_id>/switch/", rules.switch, name="rule_switch"),
    path("b/<slug:brand>/settings/rules/<int:rule_id>/place/", rules.move_up, name="rule_place"),
    path("b/<slug:brand>/settings/rules/<int:rule_id>/removal/", rules.remove, name="rule_removal"),
    path("b/<slug:brand>/settings/promises/", arrangement.show_promises, name="promises"),
    path(
        "b/<slug:brand>/settings/promises/<int:promise_id>/removal/", arrangement.remove_promise, name="promise_removal"
    ),
]
