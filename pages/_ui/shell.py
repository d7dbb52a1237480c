"""The script that Streamlit runs for every page: page setup, navigation, then the page itself."""

import streamlit as st

from pages._ui import i18n, navigation

i18n.begin()
st.set_page_config(page_title="Kasane 重ね", page_icon=str(i18n.ASSETS / "images" / "icon.svg"), layout="wide")
st.navigation({name: list(part.values()) for name, part in navigation.sections().items()}, position="top").run()
