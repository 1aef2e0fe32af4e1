"""The sample company: its people, its words and what was said in three weeks (`es.txt`, `en.txt`)."""
