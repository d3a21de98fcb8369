"""Every sentence that a user reads, except the labels of the page's own controls."""

from bot.strings.answers import *
from bot.strings.command_help import *
from bot.strings.commands import *
from bot.strings.files import *
from bot.strings.offline import *
from bot.strings.page import *
from bot.strings.phrases import *
from bot.strings.slack import *
from bot.strings.teams import *
from bot.strings.videos import *
from bot.strings.vision import *
