package poll

var backends = []opener{{"ports", newPorts}, {"poll", newPoll2}}
