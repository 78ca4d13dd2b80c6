// CIE L*a*b* under D65 and sRGB, with the constants of deepcolor/lab.py: IEC 61966-2-1, CIE 15:2004.

const TO_XYZ = [
  [0.4124564, 0.3575761, 0.1804375],
  [0.2126729, 0.7151522, 0.072175],
  [0.0193339, 0.119192, 0.9503041],
];
const WHITE = TO_XYZ.map((row) => row.reduce((sum, each) => sum + each));
const FROM_XYZ = inverse(TO_XYZ);
const EPSILON = 216 / 24389;
const KAPPA = 24389 / 27;

// L* (0…100) of 8-bit sRGB codes.
export function lightness(red, green, blue) {
  const [, y] = multiply(TO_XYZ, [red, green, blue].map((code) => decode(code / 255)));
  return 116 * root(y) - 16;
}

// {l, a, b} of "#rrggbb".
export function labOf(hex) {
  const codes = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  const xyz = multiply(TO_XYZ, codes.map((code) => decode(code / 255)));
  const [fx, fy, fz] = xyz.map((each, index) => root(each / WHITE[index]));
  return { l: 116 * fy - 16, a: 500 * (fx - fy), b: 200 * (fy - fz) };
}

// "#rrggbb" of a color in sRGB's gamut, null for one outside it; the hue is in degrees.
export function hexOf(l, chroma, hue) {
  const angle = (hue * Math.PI) / 180;
  const fy = (l + 16) / 116;
  const fs = [fy + (chroma * Math.cos(angle)) / 500, fy, fy - (chroma * Math.sin(angle)) / 200];
  const xyz = fs.map((f, index) => WHITE[index] * (f > 6 / 29 ? f ** 3 : (116 * f - 16) / KAPPA));
  const codes = multiply(FROM_XYZ, xyz).map((linear) => Math.round(encode(linear) * 255));
  if (codes.some((code) => code < 0 || code > 255)) return null;
  return `#${codes.map((code) => code.toString(16).padStart(2, "0")).join("")}`;
}

const root = (share) => (share > EPSILON ? Math.cbrt(share) : (KAPPA * share + 16) / 116);
const decode = (code) => (code <= 0.04045 ? code / 12.92 : ((code + 0.055) / 1.055) ** 2.4);
const encode = (linear) =>
  linear <= 0.0031308 ? linear * 12.92 : 1.055 * linear ** (1 / 2.4) - 0.055;

function multiply(matrix, vector) {
  return matrix.map((row) => row.reduce((sum, each, index) => sum + each * vector[index], 0));
}

// By cofactors, of a 3 by 3 matrix.
function inverse([[a, b, c], [d, e, f], [g, h, i]]) {
  const determinant = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
  return [
    [e * i - f * h, c * h - b * i, b * f - c * e],
    [f * g - d * i, a * i - c * g, c * d - a * f],
    [d * h - e * g, b * g - a * h, a * e - b * d],
  ].map((row) => row.map((each) => each / determinant));
}
