"""What a text says, understood on the own machine: language, feeling, kind, urgency, topics, offence."""
