"""What every reader of a topic with history keeps: how far it has come, whatever becomes of its connections."""


class Reader:
    """Who says which message has to come next defines `hear(epoch, offset, message)`, which notes in `wrong` what does not fit."""

    def __init__(self, topic):
        self.topic, self.epoch, self.offset = topic, 0, 0
        self.member = None
        self.resumed, self.replayed, self.gaps, self.wrong = 0, 0, 0, []

    def path(self):
        return f"/topic/{self.topic}?after={self.epoch}.{self.offset}"

    def take(self, message):
        if "gap" in message:
            self.gaps += 1
        elif "resumed" in message:
            self.resumed += 1
            self.replayed += message["resumed"]
        else:
            epoch, offset = map(int, message["position"].split("."))
            self.hear(epoch, offset, message)
            self.epoch, self.offset = epoch, offset
