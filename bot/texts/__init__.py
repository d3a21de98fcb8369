"""Every sentence that a user reads, but for the labels of the page's own controls."""

from bot.texts.answers import *
from bot.texts.commands import *
from bot.texts.files import *
from bot.texts.offline import *
from bot.texts.page import *
from bot.texts.slack import *
from bot.texts.teams import *
from bot.texts.videos import *
from bot.texts.vision import *
from bot.texts.wording import *
