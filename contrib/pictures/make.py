#!/usr/bin/env python3
"""Makes the README's pictures: runs mapstop on the demo's maps in a terminal emulator, presses keys, and
draws what is on the screen.

    make.py MAPSTOP DEMO FOLDER

writes FOLDER/mapstop.gif (animated), FOLDER/table.png and FOLDER/detail.png. Needs root (the demo creates
BPF maps), python3-pil, python3-pyte, gifsicle and the DejaVu fonts. It takes as long as the demo needs to fill a map.
"""

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time

import pyte
from PIL import Image, ImageColor, ImageDraw, ImageFont

COLUMNS, LINES = 118, 27
CELL_WIDTH, CELL_HEIGHT = 9, 18
MARGIN = 12
FONT_SIZE = 15
FONTS = "/usr/share/fonts/truetype/dejavu/DejaVuSansMono"

BACKGROUND, FOREGROUND, DIM = "#16181d", "#d5d8de", "#7d828c"
# The names that pyte has for the first sixteen colours, and what it makes of them in a palette of 256.
COLOURS = {
    "black": BACKGROUND,
    "red": "#f0605a",
    "cd0000": "#f0605a",
    "ff0000": "#f0605a",
    "brown": "#e2b84f",
    "cdcd00": "#e2b84f",
    "ffff00": "#e2b84f",
    "white": FOREGROUND,
    "brightblack": DIM,
}

# The demo's connection table is full after three minutes. The recording begins shortly before that, when
# growth and history are known.
WARM_UP = float(os.environ.get("WARM_UP", 160))

# What is pressed, for how many seconds the result is shown, and the still picture made of it.
SCRIPT = [
    ("", 3, None),
    ("/", 0.6, None),
    *[(key, 0.15, None) for key in "conn_"],
    ("\r", 2.5, "table"),
    ("\r", 5, "detail"),
    ("\x1b", 1.5, None),
    ("f", 0.6, None),
    # At once: half a filter matches other maps, and the table would jump with every letter.
    ("pressure>50", 1.5, None),
    ("\r", 4, None),
    # One Esc ends the search, another the filter.
    ("\x1b", 0.6, None),
    ("\x1b", 6, None),
]


class Screen(pyte.Screen):
    """pyte does not know dim (SGR 2), in which mapstop shows what matters less. Here it is kept as italics,
    which mapstop does not use."""

    def select_graphic_rendition(self, *attributes, **kwargs):
        changed, rest = [], list(attributes)
        while rest:
            attribute = rest.pop(0)
            if attribute in (38, 48):
                length = 2 if rest[:1] == [5] else 4
                changed += [attribute, *rest[:length]]
                del rest[:length]
            else:
                changed += {2: [3], 22: [22, 23]}.get(attribute, [attribute])
        super().select_graphic_rendition(*changed, **kwargs)


class Terminal:
    """A program in a pseudo-terminal, and what it has drawn."""

    def __init__(self, command):
        self.screen = Screen(COLUMNS, LINES)
        self.stream = pyte.ByteStream(self.screen)
        pid, self.master = pty.fork()
        if pid == 0:
            environment = dict(os.environ, TERM="xterm-256color", LANG="C.UTF-8", LC_ALL="C.UTF-8")
            environment.pop("NO_COLOR", None)
            os.execvpe(command[0], command, environment)
        size = struct.pack("HHHH", LINES, COLUMNS, 0, 0)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, size)

    def press(self, keys):
        os.write(self.master, keys.encode())

    def run(self, seconds):
        """Lets the program draw for so long."""
        end = time.monotonic() + seconds
        while (rest := end - time.monotonic()) > 0:
            if select.select([self.master], [], [], rest)[0]:
                try:
                    self.stream.feed(os.read(self.master, 65536))
                except OSError:  # The program has ended.
                    return

    def cells(self):
        """The screen as a value that can be compared and drawn."""
        return tuple(tuple(self.screen.buffer[y][x] for x in range(COLUMNS)) for y in range(LINES))


def colour(name, default):
    if name == "default":
        return default
    return COLOURS.get(name) or "#" + name


def palette():
    """An image with the palette of all pictures: each colour in eight steps from the background, and from the
    bar of the selected row."""
    colours = []
    for ground in (BACKGROUND, FOREGROUND):
        for ink in sorted({FOREGROUND, DIM, BACKGROUND, *COLOURS.values()}):
            for step in range(8):
                mixed = [
                    (a * (7 - step) + b * step) // 7
                    for a, b in zip(ImageColor.getrgb(ground), ImageColor.getrgb(ink))
                ]
                if mixed not in colours:
                    colours.append(mixed)
    image = Image.new("P", (1, 1))
    image.putpalette([channel for mixed in colours for channel in mixed])
    return image


def block(char):
    """The part of a cell that a block element fills: left, top, right, bottom in eighths."""
    code = ord(char)
    if 0x2581 <= code <= 0x2588:
        return 0, 8 - (code - 0x2580), 8, 8
    if 0x2589 <= code <= 0x258F:
        return 0, 0, 0x2590 - code, 8
    if char == "▐":
        return 4, 0, 8, 8
    if char == "▕":
        return 7, 0, 8, 8
    if char == "▔":
        return 0, 0, 8, 1
    if char == "▀":
        return 0, 0, 8, 4
    return None


SHADES = {"░": (4, 4), "▒": (2, 2), "▓": (1, 2)}


class Painter:
    def __init__(self):
        self.fonts = {
            is_bold: ImageFont.truetype(FONTS + ("-Bold" if is_bold else "") + ".ttf", FONT_SIZE)
            for is_bold in (False, True)
        }

    def draw(self, cells):
        size = COLUMNS * CELL_WIDTH + 2 * MARGIN, LINES * CELL_HEIGHT + 2 * MARGIN
        image = Image.new("RGB", size, BACKGROUND)
        canvas = ImageDraw.Draw(image)
        for y, line in enumerate(cells):
            for x, cell in enumerate(line):
                self.draw_cell(canvas, MARGIN + x * CELL_WIDTH, MARGIN + y * CELL_HEIGHT, cell)
        return image

    def draw_cell(self, canvas, x, y, cell):
        foreground = colour(cell.fg, DIM if cell.italics else FOREGROUND)
        background = colour(cell.bg, BACKGROUND)
        if cell.reverse:
            foreground, background = background, foreground
        right, bottom = x + CELL_WIDTH - 1, y + CELL_HEIGHT - 1
        if background != BACKGROUND:
            canvas.rectangle((x, y, right, bottom), fill=background)
        if cell.data.strip() == "":
            return
        if part := block(cell.data):
            left, top, to_x, to_y = part
            canvas.rectangle(
                (
                    x + left * CELL_WIDTH // 8,
                    y + top * CELL_HEIGHT // 8,
                    x + to_x * CELL_WIDTH // 8 - 1,
                    y + to_y * CELL_HEIGHT // 8 - 1,
                ),
                fill=foreground,
            )
        elif shade := SHADES.get(cell.data):
            across, down = shade
            for at_y in range(y, bottom + 1):
                for at_x in range(x, right + 1):
                    if at_x % across == (at_y % 2) * (across // 2) and at_y % down == 0 or across == 1:
                        canvas.point((at_x, at_y), fill=foreground)
        else:
            canvas.text((x, y - 1), cell.data, font=self.fonts[cell.bold], fill=foreground)
        if cell.strikethrough:
            middle = y + CELL_HEIGHT // 2
            canvas.line((x, middle, right, middle), fill=foreground)
        if cell.underscore:
            canvas.line((x, bottom, right, bottom), fill=foreground)


def record(terminal):
    """The frames, each with its screen and milliseconds, and the still pictures by name."""
    frames, stills = [], {}

    def add(seconds):
        cells = terminal.cells()
        if frames and frames[-1][0] == cells:
            frames[-1][1] += int(seconds * 1000)
        else:
            frames.append([cells, int(seconds * 1000)])

    for keys, seconds, still in SCRIPT:
        if keys:
            terminal.press(keys)
            terminal.run(0.12)
        while seconds > 0:
            step = min(seconds, 1)
            terminal.run(step - 0.12 if step > 0.2 else 0.05)
            add(step)
            seconds -= step
        if still:
            stills[still] = terminal.cells()
    return frames, stills


def main():
    mapstop, demo, folder = sys.argv[1:]
    # The name of the machine is nobody's business.
    renamed = 'hostname node-17; exec "$0" "$@"'
    terminal = Terminal(["unshare", "--uts", "sh", "-c", renamed, demo, mapstop, "-c=-id"])
    terminal.run(WARM_UP)
    frames, stills = record(terminal)
    terminal.press("q")
    terminal.run(1)

    painter = Painter()
    colours = palette()

    def draw(cells):
        return painter.draw(cells).quantize(palette=colours, dither=Image.Dither.NONE)

    for name, cells in stills.items():
        draw(cells).save(f"{folder}/{name}.png", optimize=True)
    first, *rest = [draw(cells) for cells, _ in frames]
    durations = [milliseconds for _, milliseconds in frames]
    first.save(
        f"{folder}/mapstop.gif", save_all=True, append_images=rest, duration=durations, loop=0
    )
    subprocess.run(["gifsicle", "--batch", "-O3", f"{folder}/mapstop.gif"], check=True)


if __name__ == "__main__":
    main()
