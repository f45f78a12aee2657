"""The SCRL reference's two views of a picture, with Pillow and NumPy, for the benchmark's peer.

What torchvision does when it is given Pillow pictures, call by call: the same Pillow functions in the same order on the
same sizes. Only the last step, from bytes to normalised floats, is NumPy instead of torch. A view is
crop (bicubic) -> flip -> colour jitter -> grayscale -> blur by resizing -> solarize -> [3, side, side] float32.
"""

import math

import numpy
from PIL import Image, ImageEnhance, ImageOps

MEAN = numpy.array([0.485, 0.456, 0.406], numpy.float32).reshape(3, 1, 1)
DEVIATION = numpy.array([0.229, 0.224, 0.225], numpy.float32).reshape(3, 1, 1)
CROP_SCALE = (0.2, 1.0)
CROP_RATIO = (3 / 4, 4 / 3)
BLUR_FACTORS = (1.1, 1.2, 1.5)
BLUR_PROBABILITY = (1.0, 0.1)
SOLARIZE_PROBABILITY = (0.0, 0.2)


def two_views(image, side, random):
    """image: Pillow, RGB; random: random.Random -> two arrays [3, side, side]"""
    return [normalize(augment(image, view, side, random)) for view in (0, 1)]


def augment(image, view, side, random):
    image = random_resized_crop(image, side, random)
    if random.random() < 0.5:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if random.random() < 0.8:
        image = jitter(image, random)
    if random.random() < 0.2:
        luma = numpy.array(image.convert("L"), dtype=numpy.uint8)
        image = Image.fromarray(numpy.dstack([luma, luma, luma]))
    if random.random() < BLUR_PROBABILITY[view]:
        small = math.floor(side / random.choice(BLUR_FACTORS))
        image = image.resize((small, small), Image.Resampling.BICUBIC)
        image = image.resize((side, side), Image.Resampling.BICUBIC)
    if random.random() < SOLARIZE_PROBABILITY[view]:
        image = ImageOps.solarize(image, 128)
    return image


def random_resized_crop(image, side, random):
    left, top, width, height = crop_window(*image.size, random)
    window = image.crop((left, top, left + width, top + height))
    return window.resize((side, side), Image.Resampling.BICUBIC)


def crop_window(image_width, image_height, random):
    """Left, top, width, height: ten draws, then the largest centred window of an allowed ratio."""
    for _ in range(10):
        area = image_width * image_height * random.uniform(*CROP_SCALE)
        ratio = math.exp(random.uniform(math.log(CROP_RATIO[0]), math.log(CROP_RATIO[1])))
        width, height = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if 0 < width <= image_width and 0 < height <= image_height:
            top = random.randint(0, image_height - height)
            return random.randint(0, image_width - width), top, width, height
    width, height = image_width, image_height
    if width / height < CROP_RATIO[0]:
        height = round(width / CROP_RATIO[0])
    elif width / height > CROP_RATIO[1]:
        width = round(height * CROP_RATIO[1])
    return (image_width - width) // 2, (image_height - height) // 2, width, height


def jitter(image, random):
    operations = [
        lambda picture: ImageEnhance.Brightness(picture).enhance(random.uniform(0.6, 1.4)),
        lambda picture: ImageEnhance.Contrast(picture).enhance(random.uniform(0.6, 1.4)),
        lambda picture: ImageEnhance.Color(picture).enhance(random.uniform(0.8, 1.2)),
        lambda picture: shift_hue(picture, random.uniform(-0.1, 0.1)),
    ]
    random.shuffle(operations)
    for operation in operations:
        image = operation(image)
    return image


def shift_hue(image, share):
    """share: of the colour circle; whole steps of 1/255, and 8-bit hues wrap around"""
    hue, saturation, value = image.convert("HSV").split()
    shifted = numpy.array(hue, dtype=numpy.uint8)
    shifted += numpy.uint8(int(share * 255) % 256)
    return Image.merge("HSV", (Image.fromarray(shifted), saturation, value)).convert("RGB")


def normalize(image):
    values = numpy.ascontiguousarray(numpy.asarray(image).transpose(2, 0, 1)).astype(numpy.float32)
    values /= 255
    values -= MEAN
    values /= DEVIATION
    return values
