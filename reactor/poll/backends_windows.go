package poll

var backends = []opener{{"afd", newAFD}}
