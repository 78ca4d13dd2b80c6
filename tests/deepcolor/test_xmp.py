"""What people wrote about a photograph, in XMP or IPTC, and what is said of its colors."""

from __future__ import annotations

import io
import re
import struct
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from deepcolor import xmp
from deepcolor.colorizer import Colorizer
from deepcolor.encoding import Credit, Writing, encode
from deepcolor.photograph import Reading, decode

CREDIT = Credit("colornet", "0123456789abcdef")
CREDIT_LINE = "Colors are simulated by deepcolor"
FORMATS = ["jpeg", "png", "webp", "tiff", "avif"]

PREFIXES = " ".join(
    f'xmlns:{prefix}="{uri}"' for prefix, uri in xmp.NAMESPACES.items() if prefix != "x"
)
PACKET = f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Adobe XMP Core 5.6">
 <rdf:RDF {PREFIXES}
   xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/"
   xmlns:xmpGImg="http://ns.adobe.com/xap/1.0/g/img/"
   xmlns:drone="http://www.dji.com/drone-dji/1.0/">
  <rdf:Description rdf:about="" photoshop:City="Killarney" xmp:Rating="5" dc:format="image/jpeg"
    tiff:Orientation="1" crs:Exposure="+1.5" exif:GPSLatitude="52,3.5N" xmpMM:DocumentID="x"
    xmp:CreatorTool="Adobe Photoshop Lightroom">
   <dc:title><rdf:Alt><rdf:li xml:lang="x-default">Großmutters Haus</rdf:li></rdf:Alt></dc:title>
   <dc:description><rdf:Alt>
     <rdf:li xml:lang="de">Vor dem Tor</rdf:li>
     <rdf:li xml:lang="x-default">By the gate</rdf:li></rdf:Alt></dc:description>
   <dc:subject><rdf:Bag><rdf:li>family</rdf:li><rdf:li>1910</rdf:li></rdf:Bag></dc:subject>
   <xmp:Thumbnails><rdf:Alt><rdf:li rdf:parseType="Resource">
     <xmpGImg:image>SECRETTHUMBNAIL</xmpGImg:image></rdf:li></rdf:Alt></xmp:Thumbnails>
  </rdf:Description>
  <rdf:Description rdf:about="">
   <mwg-rs:Regions rdf:parseType="Resource"><mwg-rs:RegionList><rdf:Bag>
     <rdf:li><rdf:Description mwg-rs:Name="Anna Byrne" mwg-rs:Type="Face">
       <mwg-rs:Area stArea:x="0.5" stArea:y="0.4" stArea:w="0.1" stArea:h="0.2"/>
     </rdf:Description></rdf:li></rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions>
   <Iptc4xmpExt:LocationShown><rdf:Bag><rdf:li rdf:parseType="Resource">
     <Iptc4xmpExt:Sublocation>Muckross</Iptc4xmpExt:Sublocation>
     <exif:GPSLongitude>9,30.1W</exif:GPSLongitude></rdf:li>
     <rdf:li><rdf:Description exif:GPSAltitude="77/1" drone:GpsLatitude="52.06"/></rdf:li></rdf:Bag>
   </Iptc4xmpExt:LocationShown>
   <Iptc4xmpExt:DigitalSourceType>http://cv.iptc.org/newscodes/digitalsourcetype/print</Iptc4xmpExt:DigitalSourceType>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>""".encode()


def scan(written: str = "jpeg", packet: bytes = PACKET, depth: int = 8, **options: Any) -> bytes:
    """A gray photograph with XMP in it."""
    pixels = np.full((8, 12), 99, np.uint8) if depth == 8 else np.full((8, 12), 9999, np.uint16)
    if written == "tiff":
        options.setdefault("tiffinfo", {700: packet})
    elif written == "png":
        options.setdefault("pnginfo", _png_notes(packet))
    else:
        options["xmp"] = packet
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, written, **options)
    return out.getvalue()


def _png_notes(packet: bytes) -> PngInfo:
    notes = PngInfo()
    notes.add_itxt("XML:com.adobe.xmp", packet.decode())
    return notes


def colored(
    content: bytes, wanted: Any = "keep", keep_gps: bool = False, instance: str | None = None
) -> bytes:
    photograph = decode(content, Reading(keep_gps=keep_gps))
    deep = photograph.deep is not None
    color = np.zeros((*photograph.size[::-1], 3), np.uint16 if deep else np.uint8)
    image = color if deep else Image.fromarray(color)
    return encode(image, photograph, CREDIT, Writing(wanted, instance=instance))[0]


def packet_of(content: bytes) -> str:
    """The XMP of a result, which must be well-formed."""
    with Image.open(io.BytesIO(content)) as image:
        packet = image.info["xmp"]
    ET.fromstring(packet)
    return str(packet.decode() if isinstance(packet, bytes) else packet)


def iptc(*fields: tuple[int, bytes]) -> bytes:
    """A JPEG segment as Photoshop writes it; ``fields`` are of IPTC's second record."""
    data = b"".join(struct.pack(">BBBH", 0x1C, 2, name, len(text)) + text for name, text in fields)
    block = b"8BIM" + struct.pack(">HxxI", 0x0404, len(data)) + data + b"\0" * (len(data) % 2)
    segment = b"Photoshop 3.0\0" + block
    return b"\xff\xed" + struct.pack(">H", len(segment) + 2) + segment


def with_iptc(content: bytes, *fields: tuple[int, bytes]) -> bytes:
    return content[:2] + iptc(*fields) + content[2:]


@pytest.mark.parametrize("written", FORMATS)
def test_rights_and_accession_numbers_are_kept(written: str) -> None:
    rights = """tiff:Artist="D. Lange" tiff:Copyright="Public domain" dc:identifier="LC-USF34-9058"
        cc:license="https://creativecommons.org/publicdomain/mark/1.0/" tiff:Orientation="1" """
    packet = PACKET.decode().replace('tiff:Orientation="1"', rights).encode()
    said = packet_of(colored(scan(written, packet)))
    for kept in ("D. Lange", "Public domain", "LC-USF34-9058", "publicdomain/mark"):
        assert kept in said
    assert "Orientation" not in said


@pytest.mark.parametrize("written", FORMATS)
def test_what_people_wrote_is_kept(written: str) -> None:
    said = packet_of(colored(scan(written)))
    for kept in ("Killarney", "Großmutters Haus", "family", "1910", "Anna Byrne", "Muckross"):
        assert kept in said
    for gone in ("SECRET", "Lightroom", "Orientation", "Exposure", "image/jpeg", "DocumentID"):
        assert gone not in said


@pytest.mark.parametrize("written", FORMATS)
@pytest.mark.parametrize("packet", [PACKET, b""])
def test_that_colors_are_made_up_is_said_in_iptcs_term(written: str, packet: bytes) -> None:
    said = packet_of(colored(scan(written, packet)))
    [term] = re.findall(r"digitalsourcetype/(\w+)", said)
    assert term == "compositeWithTrainedAlgorithmicMedia"
    assert CREDIT.software in said


@pytest.mark.parametrize(
    ("written", "depth"), [*((written, 8) for written in FORMATS), ("png", 16), ("tiff", 16)]
)
def test_files_of_two_names_differ_though_their_colors_do_not(written: str, depth: int) -> None:
    content = scan(written, depth=depth)
    one, other = (colored(content, instance=f"uuid:{name}") for name in ("one", "other"))
    assert "<xmpMM:InstanceID>uuid:one</xmpMM:InstanceID>" in packet_of(one)
    assert "InstanceID" not in packet_of(colored(content))
    assert one != other
    with Image.open(io.BytesIO(one)) as first, Image.open(io.BytesIO(other)) as second:
        assert first.tobytes() == second.tobytes()


@pytest.mark.parametrize("written", ["png", "tiff"])
def test_sixteen_bits_are_no_hindrance(written: str) -> None:
    said = packet_of(colored(scan(written, depth=16)))
    assert "Großmutters Haus" in said
    assert xmp.BY_A_TRAINED_ALGORITHM in said


def test_a_library_result_says_it_too(colornet: Colorizer) -> None:
    said = packet_of(colornet(scan()))
    assert "Anna Byrne" in said
    assert xmp.BY_A_TRAINED_ALGORITHM in said


def test_positions_are_kept_only_if_wanted() -> None:
    assert "GPS" not in packet_of(colored(scan()))
    said = packet_of(colored(scan(), keep_gps=True))
    for position in ("52,3.5N", "9,30.1W", "77/1"):
        assert position in said


@pytest.mark.parametrize("written", FORMATS)
def test_faces_are_where_they_were_or_nowhere(written: str) -> None:
    turned = Image.Exif()
    turned[0x0112] = 6
    options = {"tiffinfo": {700: PACKET, 0x0112: 6}} if written == "tiff" else {"exif": turned}
    said = packet_of(colored(scan(written, **options)))
    assert "Anna Byrne" not in said
    assert "Killarney" in said


def test_the_caption_has_one_credit_below_it() -> None:
    once = colored(scan())
    for content in (once, colored(once)):
        said = packet_of(content)
        assert re.search(rf"By the gate\n{CREDIT_LINE} [^<]*</rdf:li>", said)
        assert said.count(CREDIT_LINE) == 1
        assert "Vor dem Tor</rdf:li>" in said


def test_what_stands_in_iptc_alone_is_kept_as_xmp() -> None:
    fields = [(5, "Brücke".encode()), (25, b"bridge"), (25, b"1904"), (55, b"19040501")]
    said = packet_of(colored(with_iptc(scan(packet=b""), *fields, (90, b"Li\xe8ge"), (120, b"C"))))
    for kept in ("Brücke", "bridge", "1904", "1904-05-01", "Liège", f"C\n{CREDIT_LINE}"):
        assert kept in said


def test_xmp_is_newer_than_iptc() -> None:
    said = packet_of(colored(with_iptc(scan(), (90, b"Cork"), (101, b"Ireland\x01"))))
    assert "Cork" not in said
    assert "Killarney" in said
    assert "Ireland</photoshop:Country>" in said


WITHOUT_WRAPPER = re.sub(rb"</?x:xmpmeta[^>]*>", b"", PACKET)


@pytest.mark.parametrize(
    "packet",
    [
        WITHOUT_WRAPPER,
        PACKET.replace(b"By", b"B\x0by"),
        PACKET.decode().encode("utf-16"),
        PACKET.decode().replace("\ufeff", "").encode("utf-16-be"),
        PACKET.decode().replace("\ufeff", "").encode("utf-16-le") + b"\0\0",
        PACKET + b"\0" * 9,
    ],
    ids=["no wrapper", "control character", "UTF-16", "big-endian", "little-endian", "zeros"],
)
def test_xmp_in_any_way_that_it_may_be_written(packet: bytes) -> None:
    said = packet_of(colored(scan("jpeg", packet)))
    for kept in ("Killarney", "Großmutters Haus", "By the gate"):
        assert kept in said


def test_either_is_kept_where_the_other_is_damaged() -> None:
    fields = (120, "Großmutter 1910".encode()), (55, b"19100000")
    said = packet_of(colored(with_iptc(scan(packet=PACKET[:-300]), *fields)))
    assert f"Großmutter 1910\n{CREDIT_LINE}" in said
    assert "<photoshop:DateCreated>1910</photoshop:DateCreated>" in said
    content = with_iptc(scan(), (90, b"Cork"))
    broken = content.replace(b"8BIM\x04\x04", b"8BIM\x04\x04\xff\xff\xff\xff", 1)
    assert "Killarney" in packet_of(colored(broken))


BOMB = b"""<!DOCTYPE x [<!ENTITY a "hahaha"><!ENTITY b "&a;&a;&a;&a;">]>
<x:xmpmeta xmlns:x="adobe:ns:meta/" xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
 xmlns:dc="http://purl.org/dc/elements/1.1/"><rdf:RDF><rdf:Description rdf:about="">
 <dc:source>&b;</dc:source></rdf:Description></rdf:RDF></x:xmpmeta>"""


@pytest.mark.parametrize(
    "packet",
    [
        b"nonsense",
        b"<unclosed>",
        PACKET[:-300],
        b"\xff" * 50,
        BOMB,
    ],
    ids=["nonsense", "unclosed", "cut", "bytes", "bomb"],
)
def test_notes_that_make_no_sense_cost_nothing_else(packet: bytes) -> None:
    said = packet_of(colored(scan("webp", packet)))
    assert xmp.BY_A_TRAINED_ALGORITHM in said
    assert "haha" not in said
    assert "Killarney" not in said


@pytest.mark.parametrize("written", FORMATS)
def test_what_people_wrote_into_a_pngs_texts(written: str) -> None:
    notes = PngInfo()
    notes.add_text("Title", "Großmutters Haus")
    notes.add_itxt("Author", "Anna Björk\x02 \u5c71")
    notes.add_text("Description", " ")
    notes.add_text("Software", "GIMP")
    said = packet_of(colored(scan("png", pnginfo=notes), written))
    for kept in ("<dc:title>", ">Großmutters Haus<", "<dc:creator>", ">Anna Björk 山<"):
        assert kept in said
    assert "<dc:description>" not in said
    assert "GIMP" not in said


def test_xmp_stands_over_a_pngs_texts() -> None:
    notes = _png_notes(PACKET)
    notes.add_text("Title", "Untitled")
    said = packet_of(colored(scan("png", pnginfo=notes)))
    assert "Großmutters Haus" in said
    assert "Untitled" not in said


@pytest.mark.parametrize("depth", [100, 400, 700, 900, 1000, 1100, 5_000, 100_000])
def test_elements_in_elements_cost_no_photograph(depth: int) -> None:
    deep = "<rdf:li>" * depth + "deep" + "</rdf:li>" * depth
    shallow = "<rdf:li>family</rdf:li>"
    said = packet_of(colored(scan("webp", PACKET.decode().replace(shallow, deep).encode())))
    assert "compositeWithTrainedAlgorithmicMedia" in said


def test_what_is_too_long_for_any_result_costs_no_other() -> None:
    packet = PACKET.decode().replace("By the gate", "By the gate. " * 6_000).encode()
    said = packet_of(colored(scan("webp", packet)))
    assert "By the gate. By the gate" not in said
    for kept in ("Killarney", "Großmutters Haus", "family", "Anna Byrne", "Muckross"):
        assert kept in said
