package poll

var backends = []opener{{"epoll", newEpoll}, {"poll", newPoll2}}
