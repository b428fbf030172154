// System fonts: nothing is loaded from elsewhere, and little from here.
import Theme from 'vitepress/theme-without-fonts';
import './style.css';

export default Theme;
