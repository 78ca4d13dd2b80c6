"""XMP: what people wrote about a photograph goes on, and what deepcolor did to it is said.

Captions, names, keywords and rights are kept; what programs noted about their file is not, and
positions only if wanted. What stands in the older IPTC fields or a PNG's texts alone is kept as
XMP. (Adobe, XMP Specification Part 1 and 2; IPTC Photo Metadata Standard 2023.1, which maps one to
the other; W3C, PNG Specification, section 11.3.3.)
"""

from __future__ import annotations

import codecs
import copy
import itertools
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element

from PIL import Image, ImageFile, IptcImagePlugin

MOST_BYTES = 60_000
"""A JPEG holds 65,502, deepcolor's own included."""
MOST_DEEP = 100  # elements in each other; what people write has ten at most

NAMESPACES = {
    "x": "adobe:ns:meta/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "cc": "http://creativecommons.org/ns#",
    "dc": "http://purl.org/dc/elements/1.1/",
    "digiKam": "http://www.digikam.org/ns/1.0/",
    "exif": "http://ns.adobe.com/exif/1.0/",
    "Iptc4xmpCore": "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "lr": "http://ns.adobe.com/lightroom/1.0/",
    "MP": "http://ns.microsoft.com/photo/1.2/",
    "MPReg": "http://ns.microsoft.com/photo/1.2/t/Region#",
    "MPRI": "http://ns.microsoft.com/photo/1.2/t/RegionInfo#",
    "mwg-kw": "http://www.metadataworkinggroup.com/schemas/keywords/",
    "mwg-rs": "http://www.metadataworkinggroup.com/schemas/regions/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "plus": "http://ns.useplus.org/ldf/xmp/1.0/",
    "stArea": "http://ns.adobe.com/xmp/sType/Area#",
    "stDim": "http://ns.adobe.com/xap/1.0/sType/Dimensions#",
    "tiff": "http://ns.adobe.com/tiff/1.0/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "xmpMM": "http://ns.adobe.com/xap/1.0/mm/",
    "xmpRights": "http://ns.adobe.com/xap/1.0/rights/",
}
for _prefix, _uri in NAMESPACES.items():
    ET.register_namespace(_prefix, _uri)


def _name(short: str) -> str:
    prefix, _, name = short.partition(":")
    return f"{{{NAMESPACES[prefix]}}}{name}"


PEOPLES = {
    _name(f"{prefix}:")
    for prefix in ("cc", "Iptc4xmpCore", "Iptc4xmpExt", "mwg-kw", "plus", "xmpRights")
}
"""Namespaces of which everything is about the photograph."""
REGIONS = {_name("MP:RegionInfo"), _name("mwg-rs:Regions")}
"""Who is where in the picture, as shares of its width and height before it is turned."""
SOURCE_TYPE, CREATOR_TOOL = _name("Iptc4xmpExt:DigitalSourceType"), _name("xmp:CreatorTool")
INSTANCE_ID = _name("xmpMM:InstanceID")
DESCRIPTION = _name("dc:description")
KEPT = REGIONS | {
    _name(f"{prefix}:{name}")
    for prefix, names in {
        "dc": "contributor coverage creator date description identifier publisher rights source "
        "subject title",
        "digiKam": "TagsList",
        "exif": "DateTimeOriginal UserComment",
        "lr": "hierarchicalSubject weightedFlatSubject",
        "photoshop": "AuthorsPosition CaptionWriter Category City Country Credit DateCreated "
        "Headline Instructions Source State SupplementalCategories TransmissionReference",
        "tiff": "Artist Copyright",
        "xmp": "CreateDate Label Nickname Rating",
    }.items()
    for name in names.split()
}
GPS = _name("exif:GPS")  # what their names begin with

IPTC = {
    (2, 5): "dc:title",
    (2, 25): "dc:subject",
    (2, 40): "photoshop:Instructions",
    (2, 55): "photoshop:DateCreated",
    (2, 80): "dc:creator",
    (2, 85): "photoshop:AuthorsPosition",
    (2, 90): "photoshop:City",
    (2, 92): "Iptc4xmpCore:Location",
    (2, 95): "photoshop:State",
    (2, 101): "photoshop:Country",
    (2, 103): "photoshop:TransmissionReference",
    (2, 105): "photoshop:Headline",
    (2, 110): "photoshop:Credit",
    (2, 115): "photoshop:Source",
    (2, 116): "dc:rights",
    (2, 120): "dc:description",
    (2, 122): "photoshop:CaptionWriter",
}
PNG = {
    "Title": "dc:title",
    "Author": "dc:creator",
    "Description": "dc:description",
    "Copyright": "dc:rights",
}
"""Of the keywords of its texts those that are about the photograph."""

ARRAYS = {"dc:subject": "Bag", "dc:creator": "Seq"}
ALTERNATIVES = {"dc:title", "dc:rights", "dc:description"}  # by language
LANGUAGE, ANY_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang", "x-default"

BY_A_TRAINED_ALGORITHM = (
    "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
)
"""IPTC's term for what was taken of the world and then changed by a trained model."""

_UNFIT_FOR_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def kept(image: Image.Image, *, keep_gps: bool, is_turned: bool) -> tuple[Element, ...]:
    """The properties of an image's XMP, IPTC and PNG texts that go on to its result.

    Where no result could hold them all, the longest are left out. ``is_turned`` says that the
    pixels will be put upright, so that what is said of places in the picture is no longer so.
    """
    found: dict[str, Element] = {}
    # Either may be damaged by itself: expat and Pillow raise whatever they run into.
    with suppress(Exception):
        found |= {one.tag: one for one in _of_xmp(image) if _is_kept(one.tag, keep_gps)}
    with suppress(Exception):
        found = {one.tag: one for one in _of_iptc(image)} | found
    found = {one.tag: one for one in _of_png(image)} | found
    if is_turned:
        found = {tag: one for tag, one in found.items() if tag not in REGIONS}
    if not found:
        return ()
    for one in found.values():
        one.tail = None
        if not keep_gps:
            _strip_gps(one)
    return _fitting(found.values())


def _fitting(properties: Collection[Element]) -> tuple[Element, ...]:
    """The shortest, in their order, as many as a result can hold."""
    lengths = {
        one.tag: len(ET.tostring(one, "utf-8")) for one in properties if _depth(one) <= MOST_DEEP
    }
    sums = itertools.accumulate(sorted(lengths.values()), initial=len(_packet(())))
    count = sum(length <= MOST_BYTES for length in sums) - 1
    fit = set(sorted(lengths, key=lengths.__getitem__)[:count])
    return tuple(one for one in properties if one.tag in fit)


def _depth(one: Element) -> int:
    """How many elements are in each other, this one included."""
    depth, level = 0, [one]
    while level:
        depth, level = depth + 1, [below for each in level for below in each]
    return depth


def packet(
    properties: Sequence[Element],
    software: str,
    credited: Callable[[bytes], bytes],
    instance: str | None,
) -> bytes:
    """The XMP of a result: what was kept, and that a trained algorithm made up its colors.

    ``credited`` gives a caption with the credit in it. ``instance`` names this very file.
    """
    properties = [copy.deepcopy(one) for one in properties if one.tag != SOURCE_TYPE]
    for one in properties:
        if one.tag == DESCRIPTION:
            _credit(one, credited)
    own = _own(software)
    if instance is not None:
        own.append(_property(INSTANCE_ID, instance))
    return _packet([*properties, *own])


def mark(software: str) -> bytes:
    """The XMP of a picture of several results: that a trained algorithm made up its colors."""
    return _packet(_own(software))


def _own(software: str) -> list[Element]:
    return [_property(SOURCE_TYPE, BY_A_TRAINED_ALGORITHM), _property(CREATOR_TOOL, software)]


class _NoDoctype(ET.TreeBuilder):
    """XMP has none, and entities are declared in one."""

    def doctype(self, *_: object) -> None:
        raise ET.ParseError("a document type")


def _of_xmp(image: Image.Image) -> Iterator[Element]:
    """All top-level properties, each as an element; they may also be written as attributes."""
    content = image.info.get("xmp") or b""
    text = content if isinstance(content, str) else _decoded(bytes(content))
    text = _UNFIT_FOR_XML.sub("", text).strip("\ufeff \r\n\t")
    if not text:
        return
    root = ET.fromstring(text, ET.XMLParser(target=_NoDoctype()))  # noqa: S314
    for rdf in root.iter(_name("rdf:RDF")):  # itself the root where nothing is around it
        for description in rdf.iterfind(_name("rdf:Description")):
            for tag, value in description.attrib.items():
                yield _property(tag, value)
            yield from description


def _decoded(content: bytes) -> str:
    """Of XMP in any encoding that it may have: all that it begins with are a mark and "<"."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", "replace")
    if content.startswith((b"\0<", b"<\0")):
        return content.decode("utf-16-be" if content[0] == 0 else "utf-16-le", "replace")
    return _text(content)


def _of_iptc(image: Image.Image) -> Iterator[Element]:
    if not isinstance(image, ImageFile.ImageFile):
        return
    fields = IptcImagePlugin.getiptcinfo(image) or {}
    for field, short in IPTC.items():
        values = fields.get(field)
        if not values:
            continue
        texts = [_fit(_text(one)) for one in (values if isinstance(values, list) else [values])]
        if short == "photoshop:DateCreated":
            texts = [_date(text) for text in texts]
        yield _structured(short, texts)


def _of_png(image: Image.Image) -> Iterator[Element]:
    if image.format != "PNG":
        return
    for keyword, short in PNG.items():
        if text := _fit(image.info.get(keyword, "")):
            yield _structured(short, [text])


def _fit(text: str) -> str:
    return _UNFIT_FOR_XML.sub("", text).strip()


def _date(text: str) -> str:
    """``19100723`` as XMP has it; a month or day of zeros is not known."""
    return re.sub(r"(-00)+$", "", re.sub(r"^(\d{4})(\d\d)(\d\d)$", r"\1-\2-\3", text))


def _text(field: bytes) -> str:
    """In UTF-8, as IPTC has it by now, or in what was usual before."""
    try:
        return field.decode()
    except UnicodeDecodeError:
        return field.decode("latin-1")


def _structured(short: str, texts: Sequence[str]) -> Element:
    kind = "Alt" if short in ALTERNATIVES else ARRAYS.get(short)
    if kind is None:
        return _property(_name(short), texts[0])
    one = Element(_name(short))
    array = ET.SubElement(one, _name(f"rdf:{kind}"))
    for text in texts:
        item = ET.SubElement(array, _name("rdf:li"))
        item.text = text
        if kind == "Alt":
            item.set(LANGUAGE, ANY_LANGUAGE)
    return one


def _property(tag: str, text: str) -> Element:
    one = Element(tag)
    one.text = text
    return one


def _is_kept(tag: str, keep_gps: bool) -> bool:
    namespace = tag[: tag.find("}") + 1]
    return tag in KEPT or namespace in PEOPLES or (keep_gps and tag.startswith(GPS))


def _strip_gps(one: Element) -> None:
    """Also places that are named may tell where they lie."""
    for part in one.iter():
        for name in [name for name in part.attrib if _is_gps(name)]:
            del part.attrib[name]
        for below in [below for below in part if _is_gps(str(below.tag))]:
            part.remove(below)


def _is_gps(tag: str) -> bool:
    """In whichever namespace: makers of drones have their own."""
    return tag.rpartition("}")[2].lower().startswith("gps")


def _credit(description: Element, credited: Callable[[bytes], bytes]) -> None:
    """Puts the credit into the caption in any language, or into the one that there is."""
    items = list(description.iter(_name("rdf:li"))) or [description]
    anys = [item for item in items if item.get(LANGUAGE) == ANY_LANGUAGE]
    item = (anys or items)[0]
    item.text = credited((item.text or "").encode()).decode()


def _packet(properties: Sequence[Element]) -> bytes:
    root = Element(_name("x:xmpmeta"))
    about = ET.SubElement(ET.SubElement(root, _name("rdf:RDF")), _name("rdf:Description"))
    about.set(_name("rdf:about"), "")
    about.extend(properties)
    # "begin" and "id" are the same in all XMP: by them programs find it in files they cannot read.
    begin = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
    return f'{begin}{ET.tostring(root, "unicode")}<?xpacket end="r"?>'.encode()
