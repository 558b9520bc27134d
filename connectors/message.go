package connectors

import (
	"context"
	"time"
)

// Mailer hands messages to a mail server. Its errors are *Error as every connector's, and name neither the person nor the
// address; Uncertain says that the message may have been taken.
type Mailer interface {
	Send(ctx context.Context, m Message) error
}

// Message is a mail of plain text to one person. It carries no client data.
type Message struct {
	ID      string // the same on every try; the Message-ID is made of it
	To      string // an address
	Subject string
	Text    string
	Date    time.Time
	Urgent  bool
}
