package poll

var backends = []opener{{"poll", newPoll2}}
