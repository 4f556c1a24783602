// gorilla/websocket on net/http: gorilla PORT plain|compress [CERTIFICATE KEY]
// A publish is a PreparedMessage: framed (and compressed) once. Each member has a channel and a goroutine that writes, as in
// the library's chat example. The endpoints are those of `ringcast serve`.
package main

import (
	"log"
	"net/http"
	"os"
	"strings"
	"sync"

	"github.com/gorilla/websocket"
)

const (
	compressFrom = 1024
	queueLength  = 65536
)

type member struct {
	socket *websocket.Conn
	queue  chan *websocket.PreparedMessage
}

type group struct {
	mutex   sync.RWMutex
	members map[*member]struct{}
}

var (
	upgrader = websocket.Upgrader{ReadBufferSize: 4096, WriteBufferSize: 4096, WriteBufferPool: &sync.Pool{}}
	mutex    sync.Mutex
	groups   = map[string]*group{}
)

func groupNamed(name string) *group {
	mutex.Lock()
	defer mutex.Unlock()
	if groups[name] == nil {
		groups[name] = &group{members: map[*member]struct{}{}}
	}
	return groups[name]
}

func (g *group) publish(kind int, message []byte, except *member) {
	prepared, err := websocket.NewPreparedMessage(kind, message)
	if err != nil {
		return
	}
	g.mutex.RLock()
	defer g.mutex.RUnlock()
	for m := range g.members {
		if m != except {
			select {
			case m.queue <- prepared:
			default: // a member that is so far behind loses the message
			}
		}
	}
}

func (m *member) write() {
	for message := range m.queue {
		if m.socket.WritePreparedMessage(message) != nil {
			m.socket.Close()
			return
		}
	}
}

func upgrade(w http.ResponseWriter, r *http.Request) *websocket.Conn {
	socket, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return nil
	}
	socket.SetReadLimit(16 << 20)
	return socket
}

func echo(w http.ResponseWriter, r *http.Request) {
	socket := upgrade(w, r)
	if socket == nil {
		return
	}
	defer socket.Close()
	for {
		kind, message, err := socket.ReadMessage()
		if err != nil {
			return
		}
		socket.EnableWriteCompression(len(message) >= compressFrom)
		if socket.WriteMessage(kind, message) != nil {
			return
		}
	}
}

// takePart reads what a member says and publishes it; prefix goes before texts.
func takePart(w http.ResponseWriter, r *http.Request, topic, prefix string, subscribes, hearsItself bool) {
	socket := upgrade(w, r)
	if socket == nil {
		return
	}
	defer socket.Close()
	g, self := groupNamed(topic), &member{socket: socket}
	if subscribes {
		self.queue = make(chan *websocket.PreparedMessage, queueLength)
		g.mutex.Lock()
		g.members[self] = struct{}{}
		g.mutex.Unlock()
		go self.write()
		defer func() {
			g.mutex.Lock()
			delete(g.members, self)
			g.mutex.Unlock()
			close(self.queue)
		}()
	}
	except := self
	if hearsItself {
		except = nil
	}
	for {
		kind, message, err := socket.ReadMessage()
		if err != nil {
			return
		}
		if prefix != "" && kind == websocket.TextMessage {
			message = append([]byte(prefix), message...)
		}
		g.publish(kind, message, except)
	}
}

func main() {
	if len(os.Args) != 3 && len(os.Args) != 5 {
		log.Fatal("usage: gorilla PORT plain|compress [CERTIFICATE KEY]")
	}
	upgrader.EnableCompression = os.Args[2] == "compress"
	http.HandleFunc("/echo", echo)
	http.HandleFunc("/chat", func(w http.ResponseWriter, r *http.Request) {
		prefix := ""
		if name := r.URL.Query().Get("name"); name != "" {
			prefix = name + ": "
		}
		takePart(w, r, "chat", prefix, true, true)
	})
	http.HandleFunc("/topic/", func(w http.ResponseWriter, r *http.Request) {
		takePart(w, r, "topic/"+strings.TrimPrefix(r.URL.Path, "/topic/"), "", true, false)
	})
	http.HandleFunc("/publish/", func(w http.ResponseWriter, r *http.Request) {
		takePart(w, r, "topic/"+strings.TrimPrefix(r.URL.Path, "/publish/"), "", false, false)
	})
	address := "127.0.0.1:" + os.Args[1]
	if len(os.Args) == 5 {
		log.Fatal(http.ListenAndServeTLS(address, os.Args[3], os.Args[4], nil))
	}
	log.Fatal(http.ListenAndServe(address, nil))
}
