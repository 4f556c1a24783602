# Plots as SVG, without a library: bars by server, and curves.
import html
import math

COLOURS = ["#d9480f", "#1971c2", "#2f9e44", "#9c36b5", "#e8a500", "#0c8599", "#c2255c", "#5c940d", "#495057", "#6741d9"]
WIDTH, LEFT, RIGHT, TOP, BOTTOM = 760, 80, 170, 46, 50


class Canvas:
    def __init__(self, title, height):
        self.height = height
        self.parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="12">',
            f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>']
        self.text(WIDTH / 2, 24, title, size=15, anchor="middle")

    def text(self, x, y, text, size=12, anchor="start", colour="#212529"):
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{colour}">'
                          f'{html.escape(text)}</text>')

    def line(self, x1, y1, x2, y2, colour="#dee2e6", width=1, dash=""):
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        self.parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" '
                          f'stroke-width="{width}"{dashes}/>')

    def bar(self, x, y, width, height, colour):
        self.parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(0.5, width):.1f}" height="{height:.1f}" fill="{colour}"/>')

    def curve(self, points, colour, dash=""):
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        self.parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"{dashes}/>')
        self.parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points]

    def save(self, path):
        path.write_text("\n".join([*self.parts, "</svg>", ""]))


def short(value):
    for limit, suffix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= limit:
            return f"{value / limit:.3g}{suffix}"
    return f"{value:.3g}"


def bars(path, title, groups, unit):
    """groups: [(name, [(server, value, least, most)])]: a group of bars each, on a logarithmic axis."""
    values = [bar[1] for _, rows in groups for bar in rows if bar[1] > 0]
    if not values:
        return
    low = 10 ** math.floor(math.log10(min(values)) - 0.3)
    high = max(values) * 1.6
    height = TOP + sum(24 + 15 * len(rows) for _, rows in groups) + BOTTOM
    canvas = Canvas(title, height)
    left, span = 170, WIDTH - 170 - 90

    def x_of(value):
        return left + span * math.log10(max(value, low) / low) / math.log10(high / low)

    decade = low
    while decade <= high:
        canvas.line(x_of(decade), TOP, x_of(decade), height - BOTTOM)
        canvas.text(x_of(decade), height - BOTTOM + 16, short(decade), anchor="middle")
        decade *= 10
    canvas.text(left + span / 2, height - 12, f"{unit} (logarithmic; shorter is better)", anchor="middle")
    servers = sorted({row[0] for _, rows in groups for row in rows}, key=lambda name: (name != "ringcast", name))
    y = TOP
    for name, rows in groups:
        canvas.text(8, y + 15, name, size=13)
        y += 20
        for server, value, least, most in sorted(rows, key=lambda row: row[1]):
            canvas.text(left - 6, y + 10, server, anchor="end")
            canvas.bar(left, y, x_of(value) - left, 12, COLOURS[servers.index(server) % len(COLOURS)])
            canvas.line(x_of(least), y + 6, x_of(most), y + 6, colour="#212529", width=1.5)
            canvas.text(max(x_of(value), x_of(most)) + 5, y + 10, short(value), size=11)
            y += 15
        y += 4
    canvas.save(path)


def curves(path, title, series, x_label, y_label, logarithmic=False):
    """series: [(name, [(x, y)], dash)]."""
    points = [point for _, values, _ in series for point in values]
    if not points:
        return
    height = 420
    canvas = Canvas(title, height)
    most_x = max(x for x, _ in points)
    most_y = max(y for _, y in points) * 1.1 or 1
    least_y = max(1e-9, min(y for _, y in points if y > 0) * 0.7) if logarithmic else 0

    def place(x, y):
        share = math.log(max(y, least_y) / least_y) / math.log(most_y / least_y) if logarithmic else y / most_y
        return LEFT + (WIDTH - LEFT - RIGHT) * x / most_x, height - BOTTOM - (height - TOP - BOTTOM) * share

    marks = [most_y * step / 5 for step in range(6)]
    if logarithmic:
        marks = [10.0 ** power for power in range(math.ceil(math.log10(least_y)), math.floor(math.log10(most_y)) + 1)]
    for mark in marks:
        canvas.line(LEFT, place(0, mark)[1], WIDTH - RIGHT, place(0, mark)[1])
        canvas.text(LEFT - 6, place(0, mark)[1] + 4, short(mark), anchor="end")
    for x in sorted({x for x, _ in points}):
        canvas.text(place(x, most_y)[0], height - BOTTOM + 16, short(x), anchor="middle")
    canvas.text((LEFT + WIDTH - RIGHT) / 2, height - 12, x_label, anchor="middle")
    canvas.text(8, TOP - 8, y_label)
    names = list(dict.fromkeys(name.split(",")[0] for name, _, _ in series))
    for index, (name, values, dash) in enumerate(series):
        colour = COLOURS[names.index(name.split(",")[0]) % len(COLOURS)]
        canvas.curve([place(x, y) for x, y in sorted(values)], colour, dash)
        canvas.line(WIDTH - RIGHT + 14, TOP + 10 + 18 * index, WIDTH - RIGHT + 38, TOP + 10 + 18 * index, colour, 2, dash)
        canvas.text(WIDTH - RIGHT + 44, TOP + 14 + 18 * index, name)
    canvas.save(path)
