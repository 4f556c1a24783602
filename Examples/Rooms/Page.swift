/// The page. The programs that docs/comparison.md compares this one with serve the same.
let page = #"""
    <!doctype html><meta charset="utf-8"><title>Rooms</title>
    <form id="login"><input name="name"> in <input name="room" value="lobby"> <button>Enter</button></form>
    <p id="members"></p><ol id="lines"></ol><form id="say"><input name="text"> <button>Say</button></form>
    <script>
    const show = (text) => { lines.appendChild(document.createElement("li")).textContent = text; };
    login.onsubmit = async (event) => {
        event.preventDefault();
        await fetch("/login", { method: "POST", body: JSON.stringify({ name: login.elements.name.value }) });
        const socket = new WebSocket("/rooms/" + encodeURIComponent(login.elements.room.value));
        socket.onclose = ({ code }) => show(`(closed with ${code})`);
        socket.onmessage = ({ data }) => {
            if (data === "slower") return show("(too fast: this was not said)");
            const news = JSON.parse(data);
            if (news.members) members.textContent = news.members.join(", ");
            for (const { name, text } of news.lines) show(`${name}: ${text}`);
        };
        say.onsubmit = (event) => {
            event.preventDefault();
            socket.send(JSON.stringify({ text: say.elements.text.value }));
            say.reset();
        };
    };
    </script>
    """#
