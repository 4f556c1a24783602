/// The page: a line for each figure, over the last minute.
let page = #"""
    <!doctype html><meta charset="utf-8"><title>Dashboard</title>
    <style>
    body { font: 16px system-ui, sans-serif; margin: 2rem }
    canvas { width: 100%; height: 18rem; border: 1px solid #ccc }
    li { list-style: none }
    </style>
    <h1>Figures</h1><p id="state">connecting</p>
    <canvas id="plot" width="1200" height="360"></canvas><ul id="names"></ul>
    <script>
    const figures = new Map(), span = 60_000, colours = ["#c8441b", "#1b6fc8", "#2b8a4b", "#8a2b7a"];
    const source = new EventSource("/figures");
    source.onopen = () => { state.textContent = "live"; };
    source.onerror = () => { state.textContent = "waiting for the server"; };
    source.onmessage = ({ data }) => {
        const { name, value } = JSON.parse(data);
        if (!figures.has(name)) figures.set(name, []);
        figures.get(name).push({ time: Date.now(), value });
        draw();
    };
    function draw() {
        const now = Date.now(), pen = plot.getContext("2d");
        pen.clearRect(0, 0, plot.width, plot.height);
        names.replaceChildren();
        [...figures].forEach(([name, points], index) => {
            while (points.length && points[0].time < now - span) points.shift();
            const most = Math.max(1, ...points.map((point) => point.value));
            pen.strokeStyle = colours[index % colours.length];
            pen.lineWidth = 3;
            pen.beginPath();
            for (const { time, value } of points)
                pen.lineTo(plot.width * (1 - (now - time) / span), plot.height * (1 - 0.9 * value / most));
            pen.stroke();
            const line = names.appendChild(document.createElement("li"));
            line.style.color = pen.strokeStyle;
            line.textContent = `${name}: ${points.at(-1)?.value ?? "nothing lately"}`;
        });
    }
    </script>
    """#
