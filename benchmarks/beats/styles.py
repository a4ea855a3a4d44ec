"""The styles that clips are drawn from: grooves, tempi and players, as data."""

from dataclasses import dataclass

from .patterns import Groove

GUITARS = ("guitar", "muted_guitar", "piano")
KEYS = ("piano", "electric_piano", "organ", "guitar", "muted_guitar")
SOFT = ("pad", "strings", "organ", "piano", "electric_piano")
SINGERS = ("vocal", "lead", "")
SOLOISTS = ("lead", "piano", "electric_piano", "guitar", "")


@dataclass(frozen=True)
class Style:
    """A way of playing.

    Parameters
    ----------
    name : str
        What it is called.
    grooves : tuple of Groove
        Its usual accompaniments, all of one metre.
    tempo_bpm : (float, float)
        Slowest and fastest.
    basses, chords, leads : tuple of str
        Who may play them; no one where empty.
    swing : (float, float)
        Least and most; see `Grid`.
    rubato : float
        How freely time is taken, as a factor.
    weight : float
        How often it is drawn.
    """

    name: str
    grooves: tuple[Groove, ...]
    tempo_bpm: tuple[float, float]
    basses: tuple[str, ...] = ("electric_bass", "synth_bass")
    chords: tuple[str, ...] = KEYS
    leads: tuple[str, ...] = SINGERS
    swing: tuple[float, float] = (0.5, 0.5)
    rubato: float = 1.0
    weight: float = 1.0

    @property
    def beats_per_bar(self) -> int:
        """Of every groove."""
        return self.grooves[0].beats_per_bar


def _groove(beats_per_bar: int, drums: str, bass: str = "", chords: str = "") -> Groove:
    """Drums are written ``voice:lane voice:lane``."""
    lanes = dict(lane.split(":") for lane in drums.split())
    return Groove(beats_per_bar, lanes, bass, chords)


STYLES = (
    Style(
        "rock",
        (
            _groove(4, "kick:9...8... snare:..9...9. hat:75757575", "RRRRRRRR", "7_5_7_5_"),
            _groove(4, "kick:9..68...|9.6.8..6 snare:..9...9. hat:76767676", "R.RRR.RA", "7_____6_|7__6__5_"),
            _groove(
                4,
                "kick:9....7..8.......|9..7......8..... snare:....9.......9... ride:7.5.7.5.7.5.7.5.",
                "R_______R___F_O_",
                "7_______6_______",
            ),
            _groove(4, "kick:9.9.9.9. snare:..9...9. crash:6.6.6.6.", "RRRRRRRR", "88888888"),
        ),
        (95, 165),
        basses=("electric_bass",),
        chords=GUITARS,
        weight=3,
    ),
    Style(
        "pop",
        (
            _groove(
                4,
                "kick:9.....8.8....... snare:....8.......8... hat:5.5.5.5.5.5.5.5.",
                "R_____R_R_____F_",
                "6_______5_______",
            ),
            _groove(
                4, "kick:9...8..8|9..88... clap:..8...8. shaker:4646464646464646", "R__R__R_", "a_b_c_b_"
            ),
            _groove(4, "kick:9..8..8. snare:..8...8. tambourine:.5.5.5.5", "R..R..R.", "6..6..6_"),
        ),
        (84, 130),
        weight=3,
    ),
    Style(
        "four on the floor",
        (
            _groove(4, "kick:9.9.9.9. clap:..8...8. open_hat:.6.6.6.6", "RORORORO", "..6..6.."),
            _groove(
                4,
                "kick:9...9...9...9... hat:..6...6...6...6. shaker:4444444444444444 clap:....7.......7...",
                "..R...R...R...R.",
                "..5.....5..5....",
            ),
            _groove(4, "kick:9.9.9.9. open_hat:.7.7.7.7 ride:4.4.4.4.", "R.RR.RR.", "5_______|........"),
            _groove(
                4, "kick:9...9...9...9... rim:...5..5....5..5. hat:..5...5...5...5.", "R..R..R.R..R..R.", ""
            ),
        ),
        (112, 140),
        basses=("synth_bass", "electric_bass"),
        chords=("pad", "organ", "electric_piano", "strings", "piano"),
        rubato=0,
        weight=2,
    ),
    Style(
        "hip-hop",
        (
            _groove(
                4,
                "kick:9.....6...8.....|9..7....6.8..... snare:....9.......9... hat:6.4.6.4.6.4.6.44",
                "R_____R.R_______",
                "5_______........",
            ),
            _groove(
                4,
                "kick:9......7..8..... clap:....9.......9... hat:5.5.5.5.5.5.5.55",
                "R_______..R_____",
                "..5_..5_....5___",
            ),
        ),
        (70, 105),
        swing=(0.5, 0.58),
        weight=2,
    ),
    Style(
        "half-time",
        (
            _groove(
                4,
                "kick:9.....7.........|9.........8.7... snare:........9....... hat:6.4.6.4.6.4.6.4.",
                "R_______________|R_________R_____",
                "6_______________",
            ),
            _groove(4, "kick:9..8....|9.....7. clap:....9... hat:6666666666666666", "R___..R_", "6___5___"),
        ),
        (120, 160),
        basses=("synth_bass", "electric_bass"),
    ),
    Style(
        "drum and bass",
        (
            _groove(
                4,
                "kick:9.........8..... snare:....9..3.2..9... hat:6.5.6.5.6.5.6.5.",
                "R_______....R_O_",
                "5_______________",
            ),
            _groove(
                4,
                "kick:9.7.......8..... snare:....9..4.4..9..4 ride:6.6.6.6.6.6.6.6.",
                "R_____F_________",
                "....5_____5_____",
            ),
        ),
        (160, 180),
        basses=("synth_bass",),
        chords=("pad", "strings", "electric_piano"),
        rubato=0,
    ),
    Style(
        "funk",
        (
            _groove(
                4,
                "kick:9..6......8..6.. snare:....9..3.3..9..2 hat:6464646464646464",
                "R..R..O.R.F.O..A",
                "..6..6....6..6..",
            ),
            _groove(
                4,
                "kick:9.7....6..7..... snare:....9..4.4.39... hat:6.6.6.6.6.6.6.4.",
                "R...R.O...R..FO.",
                ".5.5..5..5.5..5.",
            ),
        ),
        (88, 122),
        chords=("muted_guitar", "electric_piano", "organ"),
        weight=1.5,
    ),
    Style(
        "bossa and latin",
        (
            _groove(
                4,
                "kick:7..67..67..67..6 rim:6..6..6...6..6.. hat:4444444444444444",
                "R__FF__R",
                "..5..5_.5..5_...",
            ),
            _groove(4, "conga:5.5.5.78 cowbell:7.6.7.6. kick:7..6....", "...F..R_", "6.66.66.|.66.66.6"),
            _groove(
                4, "kick:9..7..7.9..7..7. snare:...6..7....6..7. hat:5.5.5.5.5.5.5.5.", "R__R__F_", "..6...6."
            ),
            _groove(4, "shaker:6466646664666466 rim:7..7..7...7.7... kick:7...7...", "R__OR__F", "5__5__5_"),
        ),
        (88, 180),
        basses=("upright_bass", "electric_bass", "synth_bass"),
        chords=("guitar", "piano", "electric_piano"),
        weight=1.5,
    ),
    Style(
        "reggae",
        (
            _groove(4, "kick:....9... rim:....8... hat:46464646", "..R_R.F.|R..RO_F.", "..7...7."),
            _groove(4, "kick:9.7.9.7. snare:....8... hat:5.6.5.6.", "R..R..F_", "..7...7."),
        ),
        (125, 160),
        chords=("organ", "muted_guitar", "piano"),
        swing=(0.5, 0.62),
    ),
    Style(
        "swing",
        (
            _groove(
                4,
                "ride:7.757.75 hat:..6...6. kick:3.3.3.3. snare:.....3..|...2...3",
                "RTFA",
                "6..5....|...6..5_",
            ),
            _groove(4, "brush:6.656.65 hat:..5...5.", "RFOA|RTFA", "...5..5.|.5.....5"),
            _groove(4, "ride:7.757.75 hat:..6...6.", "RTFA", ""),
        ),
        (95, 200),
        basses=("upright_bass",),
        chords=("piano", "guitar", "electric_piano"),
        leads=SOLOISTS,
        swing=(0.58, 0.67),
        weight=1.5,
    ),
    Style(
        "shuffle",
        (
            _groove(4, "kick:9...8..6 snare:..9...9. hat:75757575", "R.FRO.FR", ".5.5.5.5"),
            _groove(4, "kick:9.6.9.6. snare:..8...8. ride:7.767.76", "RTFO", "6.._6..."),
        ),
        (84, 145),
        chords=("organ", "guitar", "piano"),
        swing=(0.62, 0.68),
    ),
    Style(
        "ballad",
        (
            _groove(4, "kick:7....... brush:..6...6. shaker:43434343", "R___F___", "6___5___"),
            _groove(4, "kick:7......5 rim:....6... hat:4.3.4.3.", "R_______", "abcdcbcb"),
            _groove(4, "brush:55655565 kick:6.......", "R__FR___", "5_______"),
        ),
        (55, 82),
        basses=("upright_bass", "electric_bass"),
        chords=SOFT,
        rubato=2,
        weight=1.5,
    ),
    Style(
        "twelve-eight",
        (
            _groove(
                4, "kick:9.....8....6 snare:...9.....9.. hat:644644644644", "R__F_RO__F_A", "abcabcabcabc"
            ),
            _groove(
                4, "kick:9....68..... snare:...8.....8.. ride:7.57.57.57.5", "R_____F_____", "5__5__5__5__"
            ),
        ),
        (55, 90),
        chords=("piano", "guitar", "organ"),
    ),
    Style(
        "waltz",
        (
            _groove(3, "kick:9..... snare:..5.5. ride:7.4.4.", "R__", ".65"),
            _groove(3, "kick:8.. hat:.66", "R_F", "5_66_5"),
            _groove(3, "kick:7..... brush:..6.6.", "R_____|R___F_", "abcdcb"),
            _groove(3, "kick:9...5. snare:..8... hat:646464", "R_____", "6_____"),
        ),
        (84, 190),
        basses=("upright_bass", "electric_bass"),
        chords=("piano", "guitar", "strings", "organ"),
        weight=2.5,
    ),
    Style(
        "jazz waltz",
        (
            _groove(
                3, "ride:7.757. hat:..5... kick:4.....|4....3 snare:.....3|...2..", "RTF|RFA", "6..5..|...6.."
            ),
            _groove(3, "brush:6.656. hat:..5.5.", "R_F", "5..5__"),
        ),
        (110, 180),
        basses=("upright_bass",),
        chords=("piano", "guitar"),
        leads=SOLOISTS,
        swing=(0.6, 0.67),
        weight=1.5,
    ),
    Style(
        "six-eight",
        (
            _groove(2, "kick:9.....|9....5 snare:...9.. hat:634634", "R___F_|R__O_A", "abcdcb"),
            _groove(2, "kick:9..6.. tambourine:644644", "R_____", "6_46_4"),
            _groove(2, "kick:8..... brush:...7.. hat:5.45.4", "R__F__", "5_____"),
        ),
        (55, 120),
        chords=("guitar", "piano", "strings"),
        weight=2.5,
    ),
    Style(
        "march and polka",
        (
            _groove(2, "kick:9.8. hat:8.7. snare:.5.5", "R.F.", ".4.4"),
            _groove(2, "kick:9... snare:7.557.55", "R_F_", ".4.4"),
            _groove(2, "kick:9.7. hat:.5.5 snare:6.8.", "R.F.|R.RA", ".4.4"),
        ),
        (95, 145),
        basses=("upright_bass", "electric_bass"),
        chords=("organ", "piano", "muted_guitar", "guitar"),
        weight=2,
    ),
    Style(
        "arpeggios",
        (
            _groove(4, "", "R_______", "abcdcbcd"),
            _groove(4, "", "R___F___", "abcabcab"),
            _groove(4, "", "", "abcdabcd|abcdcbab"),
            _groove(4, "", "R_______", "abcbabcbabcbabcb"),
        ),
        (60, 132),
        basses=("piano", "guitar", "upright_bass"),
        chords=("piano", "guitar", "electric_piano"),
        rubato=2,
    ),
    Style(
        "arpeggios in three",
        (
            _groove(3, "", "R_____", "abcdcb"),
            _groove(3, "", "R__", ".5_4_.|.5_5__"),
            _groove(3, "", "", "abcbcb"),
        ),
        (70, 165),
        basses=("piano", "guitar"),
        chords=("piano", "guitar"),
        rubato=2,
    ),
    Style(
        "chords alone",
        (
            _groove(4, "", "R_______", "7___5___|7___5_4_"),
            _groove(4, "", "R___", "6_5_6_5_"),
            _groove(4, "", "", "6_______|5__5____"),
            _groove(4, "", "R_____F_", "5__5__5_"),
        ),
        (62, 125),
        basses=("pad", "upright_bass", "strings"),
        chords=SOFT,
        rubato=2,
    ),
    Style(
        "strings in three",
        (
            _groove(3, "", "R__", "5__"),
            _groove(3, "", "R_____", "6_4_4_"),
            _groove(3, "", "R_F_F_", ".5.5.5"),
        ),
        (80, 160),
        basses=("strings", "upright_bass"),
        chords=("strings", "organ", "vocal"),
        rubato=2,
    ),
    Style(
        "strumming",
        (
            _groove(4, "", "", "7.6557.6|7.655.65"),
            _groove(4, "", "R___R___", "8.5.7.56"),
            _groove(4, "tambourine:..7...7.", "", "74647464"),
        ),
        (76, 150),
        chords=("guitar", "muted_guitar"),
        leads=("vocal", ""),
    ),
    Style(
        "bass alone",
        (
            _groove(4, "", "R.RFO.FA", ""),
            _groove(4, "", "R_R_F_O_", ""),
            _groove(4, "", "RTFA", ""),
            _groove(4, "hat:..5...5.", "R..RR.OF", ""),
        ),
        (70, 140),
        basses=("electric_bass", "upright_bass", "guitar"),
        leads=("", "", "lead"),
        swing=(0.5, 0.6),
        weight=0.5,
    ),
    Style(
        "voices",
        (
            _groove(4, "", "", ""),
            _groove(4, "", "R___R___", "5___5___"),
            _groove(4, "clap:..6...6.", "R_R_R_F_", "4_4_4_4_"),
        ),
        (66, 120),
        basses=("vocal",),
        chords=("vocal",),
        leads=("vocal",),
        rubato=2,
        weight=0.5,
    ),
    Style(
        "drums alone",
        (
            _groove(4, "kick:9..6..7...8..... snare:....9..3.2..9..4 hat:7.5.7.5.7.5.7.53"),
            _groove(4, "conga:7.56.57.7.56.577 cowbell:8...6...8...6..."),
            _groove(4, "kick:9...9...9...9... tom:..5..6....5.66.."),
            _groove(4, "kick:9....89...8. snare:...8.....8.. hat:644644644644"),
        ),
        (75, 175),
        leads=("",),
        weight=1.5,
    ),
    Style(
        "five",
        (
            _groove(5, "ride:7.757.7.75 hat:..5...5...", "R_FR_", "6..6__5_5_"),
            _groove(5, "kick:9.....8... snare:..8.....8. hat:7575757575", "RRRRRRRRRR", "7_____6___"),
        ),
        (100, 180),
    ),
    Style(
        "seven",
        (
            _groove(
                7,
                "kick:9...8...8..... snare:..8...8...8... hat:75757575757575",
                "R_R_R_R_R_F_F_",
                "6_______5_____",
            ),
            _groove(7, "kick:9...7...7..... rim:..6...6...6.6. shaker:66666666666666", "R___R___F_____", ""),
        ),
        (110, 190),
    ),
)
