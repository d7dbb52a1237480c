"""What an address shows at which there is no page."""

import streamlit as st

from pages._ui import navigation, theme
from pages._ui.i18n import _

theme.header(_("There is no such page"), _("Its address may have been mistyped."))
st.page_link(navigation.pages()["home"])
